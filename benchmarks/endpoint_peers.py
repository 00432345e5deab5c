r"""The same 2 000 requests through other harnesses, against the same server: wall time over the ideal.

Each runs in a scratch environment that is named here and made by hand; none is a dependency. The clock is the server's:
from the first request in to the last answer out, so that nobody's start-up, imports or reports count. Settings are
alike: concurrency, prompts of the same shape, 8 tokens, no retries needed, caches off.

    python -m venv /tmp/inspect && /tmp/inspect/bin/pip install inspect_ai openai
    python -m venv /tmp/lm-eval && /tmp/lm-eval/bin/pip install 'lm-eval[api]'
    python -m venv /tmp/deepeval && /tmp/deepeval/bin/pip install deepeval
    npm install --prefix /tmp/promptfoo promptfoo
    python benchmarks/endpoint_peers.py --venv-inspect /tmp/inspect --venv-lm-eval /tmp/lm-eval \
        --venv-deepeval /tmp/deepeval --npm-promptfoo /tmp/promptfoo
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from endpoint import counted, served

OURS = """
from alignsuite.models.engines.endpoint.engine import open_endpoint
from alignsuite.models.protocol import Generate, Message
model = open_endpoint("double-1", base_url={url!r}, api_key=None, concurrency={concurrency})
replies = list(model.answer(Generate((Message("user", f"n{{n}}"),), max_tokens=8) for n in range({requests})))
assert len(replies) == {requests}
"""
INSPECT = """
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import generate
task = Task(dataset=MemoryDataset([Sample(input=f"n{{n}}") for n in range({requests})]), solver=generate())
log, = eval(
    task, model="openai-api/double/double-1", model_base_url={url!r}, max_connections={concurrency},
    max_samples={requests}, max_tokens=8, temperature=0.0, display="none", log_dir="logs",
)
assert log.status == "success", log.error
"""
LM_EVAL = """
from lm_eval import api
from lm_eval.api.instance import Instance
from lm_eval.models.openai_completions import LocalCompletionsAPI
model = LocalCompletionsAPI(
    model="double-1", base_url={url!r} + "/completions", tokenizer_backend=None, num_concurrent={concurrency},
    max_retries=3, batch_size=1,
)
settings = {{"max_gen_toks": 8, "until": [], "temperature": 0}}
asked = [Instance("generate_until", {{}}, (f"n{{n}}", dict(settings)), n) for n in range({requests})]
assert len(model.generate_until(asked, disable_tqdm=True)) == {requests}
"""
DEEPEVAL = """
import asyncio, openai
from deepeval import evaluate
from deepeval.evaluate.configs import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase

client = openai.AsyncOpenAI(base_url={url!r}, api_key="none", max_retries=0)

class Asks(BaseMetric):
    # DeepEval has no way of its own to ask the model under test; its metrics are what it runs concurrently
    threshold, async_mode, evaluation_model, include_reason = 0.5, True, None, False

    def measure(self, case, *args, **kwargs):
        raise NotImplementedError

    async def a_measure(self, case, *args, **kwargs):
        reply = await client.chat.completions.create(
            model="double-1", messages=[{{"role": "user", "content": case.input}}], max_tokens=8, temperature=0
        )
        self.score, self.success, self.reason = float(bool(reply.choices[0].message.content)), True, ""
        return self.score

    def is_successful(self):
        return True

evaluate(
    [LLMTestCase(input=f"n{{n}}", actual_output="x") for n in range({requests})], [Asks()],
    async_config=AsyncConfig(max_concurrent={concurrency}, throttle_value=0),
    display_config=DisplayConfig(show_indicator=False, print_results=False),
    cache_config=CacheConfig(write_cache=False, use_cache=False),
)
"""


def python(program: str, venv: Path) -> Callable[[dict[str, object], Path], list[str]]:
    """A command that runs the program in that environment."""

    def command(values: dict[str, object], folder: Path) -> list[str]:
        (folder / "ask.py").write_text(program.format(**values))
        return [str(venv / "bin" / "python"), "ask.py"]

    return command


def promptfoo(place: Path) -> Callable[[dict[str, object], Path], list[str]]:
    """A command that evaluates a list of prompts with promptfoo."""

    def command(values: dict[str, object], folder: Path) -> list[str]:
        provider = {
            "id": "openai:chat:double-1",
            "config": {"apiBaseUrl": values["url"], "apiKey": "none", "max_tokens": 8, "temperature": 0},
        }
        config = {"providers": [provider], "prompts": ["{{n}}"], "tests": "tests.json"}
        (folder / "promptfooconfig.json").write_text(json.dumps(config))
        requests = values["requests"]
        assert isinstance(requests, int)
        (folder / "tests.json").write_text(json.dumps([{"vars": {"n": f"n{n}"}} for n in range(requests)]))
        tool = str(place / "node_modules" / ".bin" / "promptfoo")
        options = ["--no-cache", "--no-table", "--no-write", "--no-progress-bar", "-j", str(values["concurrency"])]
        return [tool, "eval", "-c", "promptfooconfig.json", *options, "-o", "out.json"]

    return command


QUIET = {
    "OPENAI_API_KEY": "none",
    "DOUBLE_API_KEY": "none",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "HF_HUB_OFFLINE": "1",
}


def run(
    name: str, command: Callable[[dict[str, object], Path], list[str]], url: str, given: argparse.Namespace
) -> None:
    """One line: what the server saw."""
    values: dict[str, object] = {"url": url, "requests": given.requests, "concurrency": given.concurrency}
    counted(url)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        words, home = command(values, folder), {"HOME": scratch, "PROMPTFOO_CONFIG_DIR": scratch}
        before, start = os.times(), time.perf_counter()
        try:
            done = subprocess.run(
                words, cwd=folder, env=os.environ | QUIET | home, capture_output=True, text=True, timeout=given.timeout
            )
            wrong = "" if done.returncode == 0 else (done.stderr or done.stdout).strip().splitlines()[-1][:100]
        except FileNotFoundError:
            return print(f"{name:12} not installed")
        except subprocess.TimeoutExpired:
            wrong = f"stopped after {given.timeout} s"
        wall, after = time.perf_counter() - start, os.times()
    seen = counted(url)
    ideal = given.requests * given.latency / given.concurrency
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    said = f"ratio {seen['seconds'] / ideal:6.2f}" if seen["requests"] == given.requests else "no ratio    "
    print(
        f"{name:12} {said}  {seen['seconds']:6.2f} s at the server, {wall:6.2f} s in all, {cpu:6.2f} s of CPU, "
        f"{seen['requests']:.0f} requests, at most {seen['most_at_once']:.0f} at once  {wrong}",
        flush=True,
    )
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--timeout", type=float, default=300)
    for name in ("--venv-inspect", "--venv-lm-eval", "--venv-deepeval", "--npm-promptfoo"):
        parser.add_argument(name, type=Path, default=Path("/nowhere"))
    given = parser.parse_args()
    ours = Path(sys.prefix)
    print(
        f"{given.requests} requests, {given.latency * 1000:g} ms, {given.concurrency} at once; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
    )
    with served(given.latency) as url:
        run("alignsuite", python(OURS, ours), url, given)
        run("Inspect", python(INSPECT, given.venv_inspect), url, given)
        run("lm-eval", python(LM_EVAL, given.venv_lm_eval), url, given)
        run("DeepEval", python(DEEPEVAL, given.venv_deepeval), url, given)
        run("promptfoo", promptfoo(given.npm_promptfoo), url, given)
        print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
