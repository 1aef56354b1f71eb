"""What others need for the same work: instructions per operation, counted once, the same way, with the same compiler.

x86-64, clang 19 -O2, callgrind inside the workload's function alone. `KERNEL` are allocators and page tables made for
kernels and hypervisors (the goal is to be below all of them); `USER` are allocators of user space, for comparison.
"""

from __future__ import annotations

KERNEL: dict[str, dict[str, float]] = {
    "w1": {"TLSF": 292.0}, "w1h": {"TLSF": 292.0}, "w2": {"TLSF": 329.0}, "w3": {"TLSF": 271.7},
    "w4": {"pKVM": 154.7, "Unikraft": 239.2, "LLFree": 1045, "LK": 10425},
    "w5": {"xv6": 34.0, "LK": 173, "Unikraft": 344, "LLFree": 659, "pKVM": 798},
    "w5p": {"xv6": 34.0, "pKVM": 128.0, "LK": 173, "Unikraft": 205.0, "LLFree": 659},
    "map1": {"xv6": 94, "LK": 447, "aarch64-paging": 474, "Hafnium": 1528},
    "unmap1": {"xv6": 57, "LK": 1455, "aarch64-paging": 461, "Hafnium": 1427},
    "map2m": {"xv6": 28731, "LK": 16551, "aarch64-paging": 17654, "Hafnium": 137617},
    "unmap2m": {"xv6": 16409, "LK": 17307, "aarch64-paging": 2974, "Hafnium": 15518},
    "map1g": {"LK": 231, "aarch64-paging": 270, "Hafnium": 972},
    "unmap1g": {"LK": 1303, "aarch64-paging": 256, "Hafnium": 875},
    "map1gx2m": {"LK": 16443, "aarch64-paging": 29828, "Hafnium": 137339},
    "unmap1gx2m": {"LK": 19277, "aarch64-paging": 4908, "Hafnium": 15242},
    "xlpage": {"xv6": 35, "LK": 57, "aarch64-paging": 405, "Hafnium": 566},
    "xlblock": {"LK": 44, "aarch64-paging": 319, "Hafnium": 454},
    "prot1": {"xv6": 57, "LK": 1958, "aarch64-paging": 443.5, "Hafnium": 1598},
    "prot2m": {"xv6": 17431, "LK": 37788, "aarch64-paging": 39024, "Hafnium": 162587},
}

USER: dict[str, dict[str, float]] = {
    "w1": {"snmalloc": 42.5, "rpmalloc": 48.8, "mimalloc": 96.8, "glibc": 138.0, "jemalloc": 203.4},
    "w1h": {"rpmalloc": 38.7, "snmalloc": 42.4, "mimalloc": 47.0, "jemalloc": 134.5, "glibc": 138.0},
    "w2": {"rpmalloc": 53.4, "mimalloc": 69.5, "snmalloc": 70.3, "glibc": 385.2, "jemalloc": 387.7},
    "w3": {"snmalloc": 121.4, "rpmalloc": 121.9, "mimalloc": 181.8, "jemalloc": 258.5, "glibc": 428.9},
    "w4": {"snmalloc": 434, "mimalloc": 556, "glibc": 1158, "jemalloc": 2658},
    "w5": {"snmalloc": 89.2, "jemalloc": 310, "mimalloc": 312, "glibc": 636},
    "w5p": {"snmalloc": 141.5, "mimalloc": 246, "jemalloc": 310, "glibc": 982},
}


def of(workload: str) -> tuple[list[dict], float | None]:
    """(entries of bench.json's "peers", best first, the figure of the best kernel peer); [] and None for a workload that
    nobody else was measured with."""
    peers = [{"name": name, "value": value, "kernel": True} for name, value in KERNEL.get(workload, {}).items()]
    peers += [{"name": name, "value": value, "kernel": False} for name, value in USER.get(workload, {}).items()]
    peers.sort(key=lambda peer: peer["value"])
    return peers, min(KERNEL.get(workload, {}).values(), default=None)
