"""Figures for Prometheus, in its text format. Their labels take few values, whatever clients send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from sonifold_app.engine.workload import Workload
from sonifold_app.http.observe import Exchange

#: Seconds: what a person takes for at once, and what she waits for.
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """What one server has to tell. Requests are counted as they come; the rest is asked for when it is read."""

    def __init__(
        self,
        workload: Callable[[], Workload],
        lookups: Callable[[], Mapping[str, int]],
        jobs: Callable[[], Mapping[str, int]],
    ) -> None:
        """``lookups``: how often the reply cache had something (``hit``), and had not (``miss``). ``jobs``: how many
        there are, by state.
        """
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._seconds = Histogram(
            "sonifold_http_request_seconds",
            "Seconds from a request to the beginning of its reply.",
            labels,
            buckets=LATENCIES,
            registry=self._registry,
        )
        self._requests = Counter(
            "sonifold_http_requests", "Replies by status.", (*labels, "status"), registry=self._registry
        )
        self._in_flight = Gauge(
            "sonifold_http_requests_in_flight", "Requests that are being answered.", registry=self._registry
        )
        self._registry.register(EngineCollector(workload))
        self._registry.register(ServiceCollector(lookups, jobs))
        ProcessCollector(registry=self._registry)

    def observe(self, exchange: Exchange) -> None:
        """Count a request that has its reply."""
        self._seconds.labels(exchange.method, exchange.route).observe(exchange.seconds)
        self._requests.labels(exchange.method, exchange.route, str(exchange.status)).inc()

    def enter(self, change: int) -> None:
        """One request more that is being answered, or one less."""
        self._in_flight.inc(change)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class EngineCollector(Collector):
    """What the engine has to do."""

    def __init__(self, workload: Callable[[], Workload]) -> None:
        self._workload = workload

    def collect(self) -> Iterator[Metric]:
        workload = self._workload()
        length = GaugeMetricFamily("sonifold_queue_length", "Computations that wait.", labels=["pool"])
        age = GaugeMetricFamily(
            "sonifold_queue_age_seconds", "How long the oldest of them has waited.", labels=["pool"]
        )
        for pool, queue in workload.queues.items():
            length.add_metric([pool], queue.waiting)
            age.add_metric([pool], queue.oldest_seconds)
        device = GaugeMetricFamily("sonifold_device", "Where the engine computes.", labels=["device"])
        device.add_metric([workload.device], 1)
        yield from (length, age, device, batches_of(workload.batch_sizes))
        if workload.device_bytes is not None:
            yield GaugeMetricFamily(
                "sonifold_device_memory_bytes",
                "Of the GPU's memory that are taken.",
                value=workload.device_bytes,
            )


class ServiceCollector(Collector):
    """The reply cache and the jobs."""

    def __init__(
        self, lookups: Callable[[], Mapping[str, int]], jobs: Callable[[], Mapping[str, int]]
    ) -> None:
        self._lookups, self._jobs = lookups, jobs

    def collect(self) -> Iterator[Metric]:
        lookups = CounterMetricFamily(
            "sonifold_cache_lookups", "Replies that the cache had, and had not.", labels=["outcome"]
        )
        for outcome, count in self._lookups().items():
            lookups.add_metric([outcome], count)
        jobs = GaugeMetricFamily("sonifold_jobs", "Jobs that are stored, by state.", labels=["state"])
        for state, count in self._jobs().items():
            jobs.add_metric([state], count)
        yield from (lookups, jobs)


def batches_of(sizes: Mapping[int, int]) -> HistogramMetricFamily:
    """How many questions were computed together."""

    def up_to(bound: float) -> int:
        return sum(count for size, count in sizes.items() if size <= bound)

    bounds: Iterable[float] = (*BATCH_SIZES, float("inf"))
    names = {float("inf"): "+Inf"}
    return HistogramMetricFamily(
        "sonifold_batch_size",
        "Questions that were computed together.",
        buckets=[(names.get(bound, f"{bound}"), up_to(bound)) for bound in bounds],
        sum_value=sum(size * count for size, count in sizes.items()),
    )
