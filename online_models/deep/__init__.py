"""Deep models, of the extra `deep`: a convolutional sequence recommender, and a deep Q-network for slates.

Read `next_items` and `slate_values` first: what learns, in numpy. Networks and their gradients are in
`*_network`, the only modules that need JAX; they are imported when one is asked for (`contenders`).
`gate` says when one is to be served.
"""
