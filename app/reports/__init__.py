"""What leaves the program to be read elsewhere: exports of the logs, dossiers of sessions."""
