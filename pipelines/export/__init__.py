"""What becomes of a finished picture: its file, what it says of itself, and files beside it."""
