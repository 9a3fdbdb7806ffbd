"""How requests reach a picture: the command line."""
