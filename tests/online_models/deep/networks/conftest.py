"""One thread is enough, and the rest of the machine is for other tests; read when JAX begins to compute."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
