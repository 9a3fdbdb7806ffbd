"""The pages people read, and the script that makes two of them."""
