"""The tenant's own door (issue 4, section 3): pages for tenant admins, and the JSON API of interface.md.

Pages are plain HTML that works without JavaScript: the policy that goes out with each of them forbids any script.
"""
