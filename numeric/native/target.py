"""The processor of this machine: what its vectors hold, and machine code for it, made once and kept in a folder."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
from llvmlite import binding

Function = Callable[..., Any]
NO_CACHE = "BPTT_NO_CACHE"
"""An environment variable: where it is set, machine code is neither read from the folder nor kept there."""


@cache
def _features() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.get_host_cpu_features()


@cache
def vector_bytes() -> int:
    """The bytes of a vector register."""
    features = _features()
    return 64 if features.get("avx512f") else 32 if features.get("avx2") else 16


def _machine() -> Any:
    """A target of its own for everybody: an engine takes the one that it gets with it when it goes."""
    features = _features().flatten()
    if vector_bytes() == 64:  # registers of 512 bits are not used otherwise, although they are there
        features += ",-prefer-256-bit"
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=3, jit=True)


def _identity() -> str:
    version = ".".join(map(str, binding.llvm_version_info))
    return "\n".join([llvmlite.__version__, version, binding.get_host_cpu_name(), _features().flatten()])


def cache_folder() -> Path:
    """Where machine code is kept: ``BPTT_CACHE_DIR``, or ``bptt`` in the user's folder for caches."""
    chosen = os.environ.get("BPTT_CACHE_DIR")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "bptt"


class _Cache:
    """Object code by the text it was made from; every failure only means that it is made anew."""

    def __init__(self, text: str) -> None:
        key = hashlib.sha256(f"{_identity()}\n{text}".encode()).hexdigest()
        self.used = NO_CACHE not in os.environ
        try:
            self.path = cache_folder() / f"{key[:40]}.o"
        except RuntimeError:  # a user without a home
            self.used = False

    def read(self) -> bytes | None:
        if not self.used:
            return None
        try:
            code = self.path.read_bytes()
        except OSError:
            return None
        body, mark = code[:-32], code[-32:]
        return body if hashlib.sha256(body).digest() == mark else None

    def write(self, code: bytes) -> None:
        if not self.used:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent)
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(code + hashlib.sha256(code).digest())
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)


class Code:
    """Machine code of a module; it lives as long as this object."""

    def __init__(self, text: str) -> None:
        _features()
        kept = _Cache(text)
        code = kept.read()
        if code is None:
            module = binding.parse_assembly(text)
            code = _machine().emit_object(module)
            kept.write(code)
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
        self._engine.add_object_file(binding.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def publish(self, name: str) -> None:
        """Let modules that are made later call a function by its name, for as long as this object lives."""
        binding.add_symbol(name, self._engine.get_function_address(name))

    def function(self, name: str, arguments: int, answers: bool = False) -> Function:
        """A function of so many integers or addresses, and whether it gives an integer; while it runs, other threads of Python run too."""
        kind = ctypes.CFUNCTYPE(ctypes.c_int64 if answers else None, *[ctypes.c_int64] * arguments)
        found: Function = kind(self._engine.get_function_address(name))
        return found


__all__ = ["NO_CACHE", "Code", "cache_folder", "vector_bytes"]
