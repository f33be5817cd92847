"""Letters leave here: composed, given their links, handed to the mail system, recorded as delivered."""
