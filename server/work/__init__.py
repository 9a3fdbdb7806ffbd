"""The processes that do the work: one for each device, and one that watches over the others."""
