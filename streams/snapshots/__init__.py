"""Snapshots of the state: taken of a running store, kept at any fsspec URL, restored on an empty disk.

Layout at the URL: STAGE/PARTITION/files/SHA256 and STAGE/PARTITION/manifests/NAME. A snapshot exists once
its manifest does, which is written last and never overwritten; files are named by their content. So
whatever is cut off in between, or is written by a worker that lost its partition, damages nothing.
"""
