"""The changes, numbered; one that was released is never changed any more."""
