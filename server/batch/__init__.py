"""A batch: many pictures to many outputs, once each, however often it is interrupted."""
