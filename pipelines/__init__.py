"""What happens to a picture: from the bytes of a source to the bytes of an output."""
