"""Command `alignsuite models`: which models can be named, and whether one of them answers."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alignsuite.cli.arguments import width
from alignsuite.cli.command import NEGATIVE, OK, Command, group

if TYPE_CHECKING:
    from alignsuite.models.protocol import Model, ModelInfo, Request


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help="what --model takes: an alias, a file, a folder, hf:…, gguf:…, openai:…, scripted:…",
    )


def _add_name_and_address(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "--align-base-url", metavar="URL", help="address of an OpenAI-compatible endpoint, for openai:NAME"
    )
    parser.add_argument("--align-device", metavar="NAME", help="where a Transformers checkpoint runs, such as cuda:1")
    parser.add_argument("--align-adapter", metavar="PLACE", help="a LoRA adapter to put on a Transformers checkpoint")
    parser.add_argument(
        "--align-trust-remote-code", action="store_true", help="run the code that a checkpoint brings along"
    )
    parser.add_argument("--align-allow-pickle", action="store_true", help="load weights that are no safetensors")


def _list(_: argparse.Namespace) -> int:
    from alignsuite.models.registry import rows
    from alignsuite.models.table import model_table

    print("\n".join(model_table(rows(), width=width(sys.maxsize))))  # a table is easier to read in one line a row
    return OK


def _show(arguments: argparse.Namespace) -> int:
    from alignsuite.errors import ModelError, did_you_mean
    from alignsuite.models.registry import lookup, rows
    from alignsuite.models.table import row_text

    row = lookup(arguments.name)
    if row is None:
        near = did_you_mean(arguments.name, (row.alias for row in rows()))
        raise ModelError(f"`{arguments.name}` is no alias of the model table; {near}")
    print(row_text(row))
    return OK


def _pull(arguments: argparse.Namespace) -> int:
    from alignsuite.models.registry import lookup
    from alignsuite.models.table import model_line

    row = lookup(arguments.name)
    target = row.target if row else arguments.name
    if target.startswith(("openai:", "scripted:")):
        print(f"{arguments.name}: there is nothing to fetch, {target} is answered elsewhere")
        return OK
    model = open_named(arguments)  # opening fetches what is missing and loads no weights
    model.close()
    print(f"{model_line(model.info)}\nready: later runs need no network")
    return OK


def open_named(arguments: argparse.Namespace) -> Model:
    """Model that `name` and `align_base_url` of parsed arguments stand for; the caller closes it."""
    from alignsuite.config import cache_folder
    from alignsuite.models.registry import ModelSettings, open_model

    base_url = arguments.align_base_url or os.environ.get("OPENAI_BASE_URL") or None
    tell = None if sys.stderr.isatty() else functools.partial(print, file=sys.stderr, flush=True)
    settings = ModelSettings(
        cache_folder(),
        base_url,
        os.environ.get("OPENAI_API_KEY"),
        progress=tell,
        device=arguments.align_device,
        adapter=arguments.align_adapter,
        trust_remote_code=arguments.align_trust_remote_code,
        allow_pickle=arguments.align_allow_pickle,
    )
    return open_model(arguments.name, settings=settings)


def _check(arguments: argparse.Namespace) -> int:
    from contextlib import closing

    from alignsuite.errors import RequestError
    from alignsuite.models.table import answer_text, floor_text, model_line

    with closing(open_named(arguments)) as model:
        print(model_line(model.info))
        failed = False
        for request in _questions(model.info):
            for _, reply in model.answer([request]):
                failed = failed or isinstance(reply, RequestError)
                print(answer_text(request, reply))
        if asked := model.info.details.get("parameters"):
            print(f"asked {asked}, since the server takes no other")
        if not failed and (floor := getattr(model, "batch_floor", None)) is not None:
            print(floor_text(floor()))
    return NEGATIVE if failed else OK


def _questions(info: ModelInfo) -> Iterator[Request]:
    from alignsuite.models.protocol import Choose, Generate, Message

    asked = "In one short sentence: what is a unit test?" if info.can_chat else "A unit test is"
    colour = "What colour is a ripe banana? Answer with one word." if info.can_chat else "A ripe banana has the colour"
    options = ("Yellow", "Blue") if info.can_chat else (" yellow", " blue")
    if info.can_generate:
        yield Generate((Message("user", asked),) if info.can_chat else asked, max_tokens=48)
    if info.can_choose:
        yield Choose((Message("user", colour),) if info.can_chat else colour, options)


COMMAND = group(
    "the models that can be named, fetched and checked",
    {
        "list": Command("every alias: what it stands for, and which studies used it (the default)", _list),
        "show": Command("one row of the table in full", _show, _add_name),
        "pull": Command("fetch a model's weights, so that later runs work offline", _pull, _add_name_and_address),
        "check": Command("open a model, ask it for one text and one choice", _check, _add_name_and_address),
    },
    default="list",
)
