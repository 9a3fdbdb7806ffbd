"""Jobs: what is to be made, what became of it, and the queue that never loses one."""
