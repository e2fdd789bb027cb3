"""What the page at / is told: streams of what changes, and what the API has no answer for."""
