"""nginx twice: the proxy that ours is compared with, and the model server of whole answers."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from benchmarks.gateway.children import Child, free_port
from benchmarks.gateway.plan import SEED

__all__ = ["Nginx", "fixed_answers", "model_answer", "proxy"]

_MAIN = """
daemon off; worker_processes 1; pid {name}.pid; error_log {name}.error;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off; default_type application/json;
    keepalive_requests 1000000000; keepalive_timeout 3600s;
    client_body_buffer_size 64k; client_body_temp_path {name}.body;
    proxy_temp_path {name}.proxy; fastcgi_temp_path {name}.fastcgi;
    uwsgi_temp_path {name}.uwsgi; scgi_temp_path {name}.scgi;
{servers}
}}
"""
_FIXED = """
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 '{answer}'; }} }}
"""
_PROXY = """
    upstream to{port} {{
        server 127.0.0.1:{upstream};
        keepalive 256; keepalive_requests 1000000000; keepalive_timeout 3600s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://to{port}; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering {buffering}; proxy_buffers 16 16k;
        }}
    }}
"""


class Nginx(Child):
    """One worker. `ports` are those that it listens on."""

    def __init__(
        self, folder: Path, name: str, servers: str, ports: tuple[int, ...], *, core: int
    ) -> None:
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is for its owner only
        config = folder / f"{name}.conf"
        config.write_text(_MAIN.format(name=name, user=user, servers=servers))
        command = ["nginx", "-p", f"{folder}/", "-c", str(config), "-e", f"{name}.error"]
        super().__init__(command, folder / f"{name}.log", core=core)
        self.ports = ports

    def wait(self) -> None:
        """Until it answers on every port."""
        for port in self.ports:
            self.answers(f"http://127.0.0.1:{port}/")


def fixed_answers(folder: Path, *, core: int) -> Nginx:
    """A model server that answers each request with the same chat completion of about 1 kB."""
    port = free_port()
    return Nginx(
        folder, "fixed", _FIXED.format(port=port, answer=model_answer()), (port,), core=core
    )


def proxy(folder: Path, whole: int, streams: int, *, core: int) -> Nginx:
    """The proxy: its first port leads to the port `whole`, its second one, unbuffered, to
    `streams`."""
    ports = free_port(), free_port()
    servers = _PROXY.format(port=ports[0], upstream=whole, buffering="on")
    servers += _PROXY.format(port=ports[1], upstream=streams, buffering="off")
    return Nginx(folder, "proxy", servers, ports, core=core)


def model_answer() -> str:
    """A chat completion of about 1 kB, always the same."""
    chance = random.Random(SEED)
    words = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(95)]
    message = {"role": "assistant", "content": " ".join(words), "refusal": None}
    return json.dumps(
        {
            "id": "chatcmpl-0123456789abcdef",
            "object": "chat.completion",
            "created": 1_780_000_000,
            "model": "model",
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 80, "completion_tokens": 120, "total_tokens": 200},
            "system_fingerprint": "fp_0123456789",
        }
    )
