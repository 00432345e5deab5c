"""A checkpoint that is broken, or asks for more trust than it was given, is told at opening, before any weights load."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from alignsuite.errors import ModelError
from alignsuite.models.engines.transformers import weights as transformers_weights
from alignsuite.models.engines.transformers.adapter import read_adapter
from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.engines.transformers.files import read_checkpoint, read_shapes
from alignsuite.models.protocol import Choose, Generate, Message, Reply

from .transformers_folders import CHAT_TEMPLATE, change_json, random_model


@pytest.fixture
def llama(own_checkpoint: Callable[..., Path]) -> Path:
    """A folder of one file of weights, to be damaged."""
    return own_checkpoint("llama")


@pytest.fixture
def shards(own_checkpoint: Callable[..., Path]) -> Path:
    """A folder of several files of weights, to be damaged."""
    return own_checkpoint("llama", shards=True)


def opened(folder: Path, **options: Any) -> TransformersModel:
    """A model on the CPU with one thread."""
    return open_transformers(folder, **{"cache": folder.parent / "cache", "device": "cpu", "threads": 1, **options})


def refused(folder: Path, words: str, **options: Any) -> None:
    """Opening fails with these words, a pattern."""
    with pytest.raises(ModelError, match=words):
        opened(folder, **options)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """It names the file that was wanted."""
    refused(
        tmp_path,
        r"config\.json: can't be read \(No such file or directory\); the folder that `save_pretrained` wrote was wanted",
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", r"config\.json: is no JSON"),
        ("[1]", r"config\.json: holds a list, not an object"),
        ("{}", r"names no `model_type`"),
        ('{"model_type": "llama", "hidden_size": "many"}', r"config\.json: can't be read: "),
        (
            '{"model_type": "no-such-thing"}',
            "the architecture `no-such-thing` is not known to this version of transformers",
        ),
        ('{"model_type": "vit"}', "the architecture `vit` writes no text"),
        ('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}', "is a BertForMaskedLM, which writes no text"),
    ],
)
def test_a_configuration_that_can_not_be_used_is_told(llama: Path, content: str, words: str) -> None:
    """No JSON, no object, no type, senseless values, another kind of model: five pieces of advice."""
    (llama / "config.json").write_text(content)
    refused(llama, words)


def test_missing_shards_are_told_by_name(shards: Path) -> None:
    """Of a checkpoint in pieces one is deleted: it is named before anything loads."""
    files = sorted(shards.glob("model-*.safetensors"))
    assert len(files) > 2
    assert len(read_checkpoint(shards).weights) == len(files)
    assert list(opened(shards).answer([Choose("The baker", (" is", " was"))]))
    files[1].unlink()
    refused(
        shards,
        rf"1 of the {len(files)} shards that `model\.safetensors\.index\.json` names are missing: `{files[1].name}`",
    )


def test_a_shard_outside_the_folder_is_none_of_it(shards: Path) -> None:
    """An index that points to another place on this disk is not followed."""
    change_json(shards / "model.safetensors.index.json", weight_map={"x": "../secret.safetensors"})
    refused(shards, "shards that")
    change_json(shards / "model.safetensors.index.json", weight_map={})
    refused(shards, "maps no weights to files")


@pytest.mark.parametrize("left_over", ["model.safetensors", "model-00001-of-00002.safetensors"])
def test_two_saves_in_one_folder_are_told(shards: Path, left_over: str) -> None:
    """An older single file, or a shard of another save: which of them is judged must be no guess, so both are named."""
    shutil.copy(min(shards.glob("model-*.safetensors")), shards / left_over)
    refused(shards, rf"model\.safetensors\.index\.json.*two saves of the weights|`{left_over}`.*index.*two saves")
    (shards / left_over).unlink()
    assert opened(shards)


def test_shards_without_their_index_are_told(shards: Path) -> None:
    """They are a part of a save."""
    (shards / "model.safetensors.index.json").unlink()
    refused(shards, "holds no index and beside it `model-00001-of-")


def test_an_index_of_another_save_is_told(shards: Path) -> None:
    """Each weight must lie in the shard that the index says: names alone also fit the shards of another run."""
    index = shards / "model.safetensors.index.json"
    table = json.loads(index.read_text())["weight_map"]
    first, *_, last = sorted(table)
    change_json(index, weight_map={**table, first: table[last], last: table[first]})
    refused(
        shards,
        rf"says that `{first}` lies in `{table[last]}`, which does not hold it: index and shards are of two saves",
    )


def test_an_index_that_names_the_single_file_is_no_second_save(llama: Path) -> None:
    """Some converters write one."""
    table = dict.fromkeys(read_shapes(llama / "model.safetensors"), "model.safetensors")
    (llama / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))
    assert opened(llama)


def grown(folder: Path, *, special: bool) -> Any:
    """The folder's tokenizer with a token more than the weights have rows."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<|extra|>" if special else "unheard"], special_tokens=special)
    tokenizer.save_pretrained(folder)
    return tokenizer


def test_a_tokenizer_larger_than_the_embedding_is_told_with_both_sizes(llama: Path) -> None:
    """Before anything is asked, not by an index that is out of range in torch."""
    rows = read_checkpoint(llama).rows
    assert rows is not None
    grown(llama, special=False)
    refused(
        llama,
        rf"its tokenizer knows {rows + 1} tokens and its embedding has {rows} rows: 1 tokens have none, `unheard`",
    )


def test_a_special_token_that_nothing_writes_may_lack_a_row(own_checkpoint: Callable[..., Path]) -> None:
    """A published model has one for pictures. A template that writes it ends the request, with the token's name."""
    llama = own_checkpoint("llama", chat=True)
    grown(llama, special=True)
    assert isinstance(dict(opened(llama).answer([Generate("A <|extra|>", max_tokens=1)])).popitem()[1], Reply)
    (llama / "chat_template.jinja").write_text("<|extra|>{% for m in messages %}{{ m.content }}{% endfor %}")
    ((_, reply),) = opened(llama).answer([Generate((Message("user", "Hi"),))])
    assert "the prompt holds `<|extra|>`" in str(reply)


def test_weights_that_are_cut_off_are_told(llama: Path) -> None:
    """A copy that broke off, a file of zeros, a table that is no JSON, and one whose entries make no sense."""
    weights = llama / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    refused(llama, rf"not a whole safetensors file: its tensors need {len(whole)} bytes and it has {len(whole) - 10}")
    weights.write_bytes(b"\0" * 4)
    refused(llama, "its header should take 0 bytes of 4")
    weights.write_bytes(struct.pack("<Q", 1 << 60) + b"x" * 100)
    refused(llama, "its header should take 1152921504606846976 bytes of 108")
    for table in (b"{,}", b'{"a": {"shape": 3}}', b'{"a": 3}', b"[1,2]"):
        weights.write_bytes(struct.pack("<Q", len(table)) + table)
        refused(llama, "its table of contents can't be read")


def test_a_folder_without_weights_is_told(llama: Path) -> None:
    """Configuration and tokenizer alone answer nothing."""
    (llama / "model.safetensors").unlink()
    refused(llama, r"holds no weights; `model\.safetensors` or its shards were wanted")


def test_shapes_are_read_from_the_head_of_the_file(llama: Path) -> None:
    """The embedding is vocabulary by width; no tensor is read for it."""
    shapes = read_shapes(llama / "model.safetensors")
    vocabulary = json.loads((llama / "config.json").read_text())["vocab_size"]
    assert shapes["model.embed_tokens.weight"] == (vocabulary, 32)


def test_weights_that_are_not_in_the_file_are_not_made_up(llama: Path, tmp_path: Path) -> None:
    """The library would fill them with random numbers and warn; here it ends the run, and names the first."""
    model = random_model("llama", json.loads((llama / "config.json").read_text())["vocab_size"])
    weights = {name: value for name, value in model.state_dict().items() if "layers.1.mlp" not in name}
    model.save_pretrained(llama, state_dict=weights)
    with pytest.raises(
        ModelError, match=r"3 weights are missing, `model\.layers\.1\.mlp\.\w+\.weight` first; random numbers"
    ):
        list(opened(llama).answer([Generate("I")]))


def test_pickled_weights_need_the_option(llama: Path) -> None:
    """They are refused by default with the option's name, and load with it to the same answers."""
    request = Choose("The baker", (" is", " was"))
    ((_, expected),) = opened(llama).answer([request])
    model: Any = AutoModelForCausalLM.from_pretrained(llama)
    torch.save(model.state_dict(), llama / "pytorch_model.bin")
    (llama / "model.safetensors").unlink()
    refused(llama, r"its weights are pickled \(`pytorch_model\.bin`\).*--align-allow-pickle")
    ((_, found),) = opened(llama, allow_pickle=True).answer([request])
    assert not isinstance(found, ModelError)
    assert not isinstance(expected, ModelError)
    assert found.log_probs == expected.log_probs  # type: ignore[union-attr]


def test_code_of_the_checkpoint_s_own_needs_the_option(llama: Path) -> None:
    """An architecture that only its own Python file knows is refused with the option's name; with it, the code runs."""
    (llama / "configuration_own.py").write_text(
        "from transformers import LlamaConfig\nclass OwnConfig(LlamaConfig):\n    model_type = 'own-llama'\n"
    )
    (llama / "modeling_own.py").write_text(
        "from transformers import LlamaForCausalLM\nfrom .configuration_own import OwnConfig\n"
        "class OwnForCausalLM(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    auto_map = {"AutoConfig": "configuration_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}
    change_json(llama / "config.json", model_type="own-llama", auto_map=auto_map)
    refused(llama, "the architecture `own-llama` needs Python code of its own.*--align-trust-remote-code")
    ((_, reply),) = opened(llama, trust_remote_code=True).answer([Generate("I", max_tokens=2)])
    assert isinstance(reply, Reply)


def test_a_tokenizer_that_is_missing_or_broken_is_told(llama: Path) -> None:
    """Before the weights load."""
    (llama / "tokenizer.json").write_text("{")
    refused(llama, "its tokenizer can't be read: ")


def test_a_chat_probe_of_a_tokenizer_without_template_is_told(llama: Path) -> None:
    """`auto` opens it as a base model; `chat` says what is missing."""
    assert not opened(llama).info.can_chat
    refused(llama, r"its tokenizer holds no chat template.*chat_template\.jinja", form="chat")


def test_templates_with_names_and_no_default_are_told(llama: Path) -> None:
    """A chat model must not be taken for a base model in silence; raw text needs no template."""
    named = [{"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]
    change_json(llama / "tokenizer_config.json", chat_template=named)
    refused(llama, r"holds the chat templates `rag`, `tool_use`, and none called `default`.*--stage=pretraining")
    assert not opened(llama, form="raw").info.can_chat
    change_json(llama / "tokenizer_config.json", chat_template=[*named, {"name": "default", "template": CHAT_TEMPLATE}])
    assert opened(llama).info.can_chat


@pytest.mark.parametrize(
    "place", ["chat_template.jinja", "chat_template.json", "additional_chat_templates/tool_use.jinja"]
)
def test_templates_are_found_wherever_they_are_saved(llama: Path, place: str) -> None:
    """In a file of their own, where a processor keeps them, and in a folder of further ones, which holds no default here."""
    path = llama / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"chat_template": CHAT_TEMPLATE}) if place.endswith("json") else CHAT_TEMPLATE)
    if "additional" in place:
        refused(llama, "holds the chat templates `tool_use`, and none called `default`")
    else:
        assert opened(llama).info.can_chat


def test_a_template_gets_the_tokenizer_s_whole_map(llama: Path) -> None:
    """A name is the token, as if it were spelt out; a begin token that the template writes stands there once."""
    spelt, named = "<s></s>{% for m in messages %}{{ m.content }}{% endfor %}", "{{ bos_token }}{{ stop_token }}"
    change_json(llama / "tokenizer_config.json", stop_token="</s>", extra_special_tokens={"stop_token": "</s>"})
    asked = (Message("user", "Hi"),)
    (llama / "chat_template.jinja").write_text(spelt)
    tokens = opened(llama)._text.prompt(asked)
    (llama / "chat_template.jinja").write_text(named + spelt.removeprefix("<s></s>"))
    assert opened(llama)._text.prompt(asked) == tokens
    assert tokens.count(0) == 1


@pytest.mark.parametrize("device", ["cuda:7", "gpu", "cuda"])
def test_a_device_that_is_not_there_is_told(llama: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the devices that are."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(llama, rf"--align-device={device}: there is no such device here; there is cpu", device=device)


def test_a_missing_library_is_told_with_its_command(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pip install`, with the extra's name."""

    def version(name: str) -> str:
        raise transformers_weights.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(transformers_weights.importlib.metadata, "version", version)
    refused(llama, r"transformers is not installed: pip install 'alignsuite\[hf\]'")


def test_half_numbers_are_for_gpus(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU float32; on a GPU the checkpoint's own half, else bfloat16 where the device has it, else float16."""
    checkpoint = read_checkpoint(llama)
    picked = transformers_weights.pick_dtype
    for bfloat in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda bfloat=bfloat: bfloat)
        assert picked("cpu", checkpoint) == "float32"
        assert picked("cuda:0", checkpoint) == ("bfloat16" if bfloat else "float16")
    change_json(llama / "config.json", dtype="float16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert picked("cuda:0", read_checkpoint(llama)) == "float16"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert transformers_weights.pick_device(None) == "cuda:0"
    assert transformers_weights.pick_device("cuda:1") == "cuda:1"


@pytest.fixture(scope="module")
def trained(checkpoint: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter for the small decoder, with matrices that change answers."""
    torch.manual_seed(3)
    config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(checkpoint("llama")), config)
    adapted.save_pretrained(folder := tmp_path_factory.mktemp("trained") / "lora")
    return folder


@pytest.fixture
def lora(trained: Path, tmp_path: Path) -> Path:
    """A copy of the adapter, to be damaged."""
    return shutil.copytree(trained, tmp_path / "lora")


def test_an_adapter_changes_the_answers_as_peft_does(llama: Path, lora: Path) -> None:
    """The numbers are those of peft's own model, the fingerprint is another one, and the details name it."""
    request = Choose("The baker", (" is early", " was"))
    base, model = opened(llama), opened(llama, adapter=str(lora))
    ((_, plain),), ((_, reply),) = base.answer([request]), model.answer([request])
    adapted: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama), str(lora)).eval()
    found = model._text.split(request)
    with torch.no_grad():
        logits = adapted(torch.tensor([found.prompt + found.options[1]])).logits[0].log_softmax(-1)
    start = len(found.prompt) - 1
    expected = sum(float(logits[start + place, token]) for place, token in enumerate(found.options[1]))
    assert isinstance(reply, Reply)
    assert isinstance(plain, Reply)
    assert reply.log_probs[1] == pytest.approx(expected, rel=1e-5)  # type: ignore[union-attr]
    assert reply.log_probs != plain.log_probs  # type: ignore[union-attr]
    assert model.info.fingerprint != base.info.fingerprint
    assert model.info.details["adapter"] == str(lora)


def test_an_adapter_beside_a_checkpoint_is_not_followed(llama: Path, lora: Path) -> None:
    """The library would load whatever base the adapter's configuration names instead of the weights in the folder."""
    shutil.copy(lora / "adapter_config.json", llama)
    refused(llama, r"holds an adapter \(`adapter_config\.json`\) beside a checkpoint; name its base with --model")


def test_an_adapter_of_another_base_model_is_told(llama: Path, lora: Path, tmp_path: Path) -> None:
    """By the shape of a weight where the base is a folder, by its name where it came from the hub."""
    wide: Any = AutoModelForCausalLM.from_pretrained(llama)
    wide.config.intermediate_size = 96
    AutoModelForCausalLM.from_config(wide.config).save_pretrained(tmp_path / "wide")
    for file in llama.glob("tokenizer*"):
        shutil.copy(file, tmp_path / "wide")
    refused(
        tmp_path / "wide",
        r"made for another base model.*down_proj` is for 32 × 64, and that of .*wide is 32 × 96",
        adapter=str(lora),
    )
    change_json(lora / "adapter_config.json", base_model_name_or_path="org/one")
    with pytest.raises(ModelError, match="made for another base model: `org/one`, --model is `org/two`"):
        read_adapter(lora, read_checkpoint(llama), base_name="org/two")
    assert read_adapter(lora, read_checkpoint(llama), base_name="Org/One").trained_on == "org/one"


def test_an_adapter_of_another_architecture_is_told_when_it_loads(lora: Path, checkpoint: Callable[..., Path]) -> None:
    """Where the names of its weights mean nothing to the base, peft says so, and the message names both."""
    other = checkpoint("gpt2")
    with pytest.raises(
        ModelError, match="lora: the adapter can't be put onto this base model, and may have been made for another"
    ):
        list(opened(other, adapter=str(lora)).answer([Generate("I")]))


def test_an_adapter_that_is_incomplete_or_no_lora_is_told(llama: Path, lora: Path) -> None:
    """Missing matrices would silently change nothing; other kinds of adapters are refused by name."""
    from safetensors.torch import load_file, save_file

    whole = load_file(lora / "adapter_model.safetensors")
    save_file({name: value for name, value in whole.items() if "layers.0" in name}, lora / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="missing adapter keys"):
        list(opened(llama, adapter=str(lora)).answer([Generate("I")]))
    (lora / "adapter_model.safetensors").rename(lora / "adapter_model.bin")
    refused(llama, "its weights are pickled.*--align-allow-pickle", adapter=str(lora))
    (lora / "adapter_model.bin").unlink()
    refused(llama, r"holds no `adapter_model\.safetensors`", adapter=str(lora))
    change_json(lora / "adapter_config.json", peft_type="PROMPT_TUNING")
    refused(llama, "is a PROMPT_TUNING adapter; this version takes LoRA", adapter=str(lora))


def test_an_adapter_with_tokens_of_its_own_is_told(llama: Path, lora: Path) -> None:
    """It would be asked in the base's tokens, which are not those that it was trained on; one to pad with does no harm."""
    for file in llama.glob("tokenizer*"):
        shutil.copy(file, lora)
    tokenizer: Any = grown(lora, special=True)
    refused(llama, r"was trained with \d+ tokens and its base .* has \d+: `<\|extra\|>` is one of 1", adapter=str(lora))
    tokenizer.pad_token = "<|extra|>"
    tokenizer.save_pretrained(lora)
    assert opened(llama, adapter=str(lora))


def test_an_adapter_that_brings_a_larger_embedding_is_told(llama: Path, lora: Path) -> None:
    """With both shapes, before the weights load."""
    from safetensors.torch import load_file, save_file

    rows = read_checkpoint(llama).rows
    assert rows is not None
    file, name = lora / "adapter_model.safetensors", "base_model.model.model.embed_tokens.weight"
    save_file({**load_file(file), name: torch.zeros(rows + 2, 32)}, file)
    words = rf"brings `model\.embed_tokens\.weight` as {rows + 2} × 32, and .* has {rows} × 32: tokens were added"
    refused(llama, words, adapter=str(lora))
