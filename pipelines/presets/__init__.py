"""Named sizes with what belongs to them: format, byte limit, keep-clear zones and their source."""
