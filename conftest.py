"""What needs the extra `deep` is collected where that is installed; `make check-all` installs it."""

from importlib.util import find_spec

collect_ignore = (
    []
    if find_spec("jax")
    else [
        "online_models/deep/contenders.py",
        "online_models/deep/sequence_network.py",
        "online_models/deep/value_network.py",
        "tests/online_models/deep/networks",
    ]
)
