"""Pictures on their way in and out: fetching, unpacking, storing, linking."""
