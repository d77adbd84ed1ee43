"""A client of a cluster that behaves as one of a single server does.

It connects when it is asked the first time, not when it is made. What is on several nodes is read
by one call (`mget`, `delete`). A cluster that is not there, or not whole, is no connection: so who
asks knows one kind of failure. A script is sent in full: a node that has just become a master does
not know it by its digest. A question waits for one silent node and then for no other, as for a
single server; the next question begins by asking who has what. The circuit breaker (breaker.py)
stands before it as a whole, for while a master is being replaced most of what is asked would wait
for it.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import Encoder
from redis.exceptions import ClusterDownError, RedisClusterException
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as Silent
from redis.retry import Retry

# Faults of ours that redis-py finds, which no wait mends.
OURS = ("must map to the same", "No way to dispatch", "is blocked when running", "Too many targets")


def away(error: Exception) -> NoConnection:
    """What a single server that is not there would have raised; a fault of ours as it is."""
    if any(mark in str(error) for mark in OURS):
        raise error
    return NoConnection(str(error))


class WholeScript:
    """As redis-py's, sent in full."""

    def __init__(self, redis: Any, lua: str) -> None:
        self._redis, self._lua = redis, lua

    def __call__(
        self, keys: Sequence[Any] = (), args: Sequence[Any] = (), client: Any = None
    ) -> Any:
        asked = self._redis if client is None else client
        return asked.execute_command("EVAL", self._lua, len(keys), *keys, *args)


class Cluster(RedisCluster):
    def __init__(
        self, hosts: Sequence[tuple[str, int]], *, retry: Any = None, **options: Any
    ) -> None:
        """`retry`: the breaker. What it does for connections it does here for each question."""
        self._hosts, self._options = {host: host for host in hosts}, options
        self._breaker = retry or Retry(NoBackoff(), 0)
        self._connecting, self._is_connected = threading.RLock(), False
        self._is_stale = False  # a node was silent: who has what is looked up before it is asked
        self._own = threading.local()
        self.encoder = Encoder(  # to find the slot of a key takes no connection
            options.get("encoding", "utf-8"),
            options.get("encoding_errors", "strict"),
            options.get("decode_responses", False),
        )

    def execute_command(self, *args: Any, **named: Any) -> Any:
        return self._asking(partial(super().execute_command, *args, **named))

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> Any:
        self._be_ready()
        pipe = super().pipeline(transaction or None, shard_hint)
        pipe.execute = partial(self._asking, pipe.execute)
        return pipe

    def mget(self, keys: Any, *args: Any) -> Any:
        return self.mget_nonatomic(keys, *args)

    def _execute_pipeline_by_slot(self, command: str, slots_to_args: Any) -> Any:
        self._be_ready()
        return super()._execute_pipeline_by_slot(command, slots_to_args)

    def close(self) -> None:
        if self._is_connected:
            super().close()

    def register_script(self, script: Any) -> Any:
        return WholeScript(self, script)

    def _be_ready(self) -> None:
        self._judged(lambda: None)

    def _asking(self, question: Callable[[], Any]) -> Any:
        if getattr(self._own, "is_connecting", False):  # redis-py asks what there is to ask
            return question()
        return self._judged(question, with_failure_count=True)

    def _judged(self, question: Callable[[], Any], **named: Any) -> Any:
        """By the breaker, which does not ask again here: redis-py does, and knows what was asked (a
        pipeline is empty after the first try) and of whom (it looks anew who has the slot)."""
        return self._breaker.call_with_retry(
            partial(self._ask, question), lambda *_: None, is_retryable=lambda _: False, **named
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        self._own.before = sys.exception()  # which is none of this question
        try:
            self._connect()
            return question()
        except (RedisClusterException, ClusterDownError) as error:
            raise away(error) from error

    def _connect(self) -> None:
        if self._is_connected and not self._is_stale:
            return
        with self._connecting:
            if not self._is_connected:
                self._own.is_connecting = True
                try:
                    _by_turns(self._hosts, self._discover)
                finally:
                    self._own.is_connecting = False
                self._is_connected = True
            elif self._is_stale:
                self._look()
                self._is_stale = False

    def _discover(self, host: tuple[str, int]) -> None:
        node = ClusterNode(*host)
        super().__init__(startup_nodes=[node], retry=Retry(NoBackoff(), 1), **self._options)
        self._ask_who_has_what = self.nodes_manager.initialize
        self.nodes_manager.initialize = (  # type: ignore[method-assign]
            self._look_after_a_failure  # type: ignore[assignment]
        )

    def _look_after_a_failure(self, **named: Any) -> None:
        """In place of redis-py's own, which asks all nodes, the silent ones as well."""
        error = sys.exception()
        if isinstance(error, Silent) and error is not self._own.before:
            self._is_stale = True
            raise RedisClusterException(f"a node is silent: {error}") from error
        epoch = self.nodes_manager._get_epoch()
        with self._connecting:
            if epoch == self.nodes_manager._get_epoch():  # or another thread has just done it
                self._look(**named)

    def _look(self, **named: Any) -> None:
        manager = self.nodes_manager
        known = dict(manager.startup_nodes)

        def ask(node: ClusterNode) -> None:
            manager.startup_nodes = {node.name: node}
            self._ask_who_has_what(**named)

        try:
            _by_turns(known, ask)
        except RedisClusterException:
            manager.startup_nodes = known
            raise


def _by_turns(nodes: dict[Any, Any], ask: Callable[[Any], None]) -> None:
    """Until one answers, or is silent: that one is the last the next time."""
    failed: RedisClusterException | None = None
    for name, node in list(nodes.items()):
        try:
            return ask(node)
        except RedisClusterException as error:
            failed = error
            if isinstance(error.__cause__, Silent):
                nodes[name] = nodes.pop(name)
                break
    assert failed
    raise failed
