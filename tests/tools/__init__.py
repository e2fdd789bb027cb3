"""Programs that tests run, and how they are had."""
