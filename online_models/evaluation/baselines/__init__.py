"""Simple recommenders that others have to beat, each in bounded memory, each a contender."""
