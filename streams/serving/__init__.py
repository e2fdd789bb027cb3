"""Answers over HTTP: what is followed, what is asked, how it is answered. It learns nothing."""
