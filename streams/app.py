"""The Faust app of one process: an agent per source topic, on the batching transport.

Faust gives the group, the assignor and the agents; positions, offsets and failures are the runtime's.
"""

import hashlib
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types import TransportT
from mode import CrashingSupervisor

from schemas.settings import KafkaSettings, Settings
from streams.bounded_fetch import fetch_bytes
from streams.connection import client_options
from streams.runtime import Runtime
from streams.transport import REQUEST_TIMEOUT_S, Batch, BatchConsumer, BatchTransport

MAX_POLL_INTERVAL_S = 1000.0


class WorkerApp(faust.App):
    """A Faust app whose transport asks the runtime where to read on."""

    runtime: Runtime

    def _new_transport(self) -> TransportT:
        transport = BatchTransport(self.conf.broker_consumer, self)
        transport.positions = self.runtime
        transport.fetch_wait_ms = self.runtime.fetch_wait_ms
        return transport

    def _new_producer_transport(self) -> TransportT:
        return BatchTransport(self.conf.broker_producer, self)


def instance_id(state_dir: Path, slot: int) -> str:
    """A name for static membership: the same after a restart, another on another host or folder."""
    place = f"{platform.node()}\0{state_dir.resolve()}"
    return f"{hashlib.blake2b(place.encode(), digest_size=6).hexdigest()}-{slot}"


def credentials_of(kafka: KafkaSettings) -> Credentials | None:
    """What `streams.connection` says of encryption and login, as Faust wants it."""
    options = client_options(kafka)
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=context,
            mechanism=options["sasl_mechanism"],
        )
    return None if context is None else SSLCredentials(context)


def make_app(group: str, settings: Settings, runtime: Runtime, *, slot: int) -> WorkerApp:
    """Make the app of one stage group; it is started with `await app.start()`.

    Parameters
    ----------
    group : str
        Consumer group without prefix.
    settings : Settings
        Broker, session timeout and batch sizes.
    runtime : Runtime
        Takes the batches.
    slot : int
        Which of this host's workers this is.
    """
    kafka = settings.kafka
    name = f"{kafka.topic_prefix}freshrec-{group}"
    state_dir = Path(settings.state.dir)
    datadir = state_dir / "faust" / f"{group}-{slot}"
    datadir.mkdir(parents=True, exist_ok=True)
    app = WorkerApp(
        name,
        broker=[f"kafka://{each}" for each in client_options(kafka)["bootstrap_servers"]],
        broker_credentials=credentials_of(kafka),
        datadir=str(datadir),
        broker_session_timeout=kafka.session_timeout_s,
        broker_heartbeat_interval=min(3.0, kafka.session_timeout_s / 4),
        broker_commit_interval=1.0,
        # Faust gives up waiting for positions, and aiokafka on a member that does not poll, after these; a
        # restore comes first. The client's own requests are not allowed that long (streams.transport).
        broker_request_timeout=max(REQUEST_TIMEOUT_S, settings.snapshot.restore_s),
        broker_max_poll_interval=max(MAX_POLL_INTERVAL_S, settings.snapshot.restore_s),
        broker_max_poll_records=kafka.max_batch_records,
        consumer_max_fetch_size=fetch_bytes(kafka, runtime.partitions),
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{name}-{instance_id(state_dir, slot)}",
        stream_buffer_maxsize=2,
        stream_wait_empty=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
    )
    app.runtime = runtime
    for topic in runtime.topics:
        _add_agent(app, topic, runtime.handle, runtime.fail)

    async def revoked(*_: Any, **__: Any) -> None:
        await runtime.revoke()

    async def assigned(*sent: Any, **_: Any) -> None:
        # Where nothing is left to read, faust asks for no positions: stores would stay open, others wait.
        _, places = sent
        if not places:
            await runtime.resume_at(frozenset(), {})

    app.on_partitions_revoked.connect(revoked)
    app.on_partitions_assigned.connect(assigned)
    return app


def _add_agent(
    app: WorkerApp,
    topic: str,
    handle: Callable[[Batch], object],
    fail: Callable[[Exception], None],
) -> None:
    source = app.topic(topic, key_serializer="raw", value_serializer="raw")

    async def agent(stream: faust.StreamT[Batch]) -> None:
        async for batch in stream:
            try:
                await handle(batch)  # type: ignore[misc]  # a coroutine function
            except Exception as error:
                fail(error)
                raise

    app.agent(source, name=f"{topic}-agent", concurrency=1, supervisor_strategy=CrashingSupervisor)(agent)


def consumer_of(app: WorkerApp) -> BatchConsumer:
    """The app's consumer, of the type that this app makes."""
    consumer = app.consumer
    if not isinstance(consumer, BatchConsumer):
        raise TypeError(f"the app's consumer is a {type(consumer).__name__}, expected a BatchConsumer")
    return consumer
