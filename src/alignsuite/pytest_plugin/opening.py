"""Models that a session opens from its settings: the one under test, and those among its judges.

Each is offered to the hook `pytest_alignsuite_open_model` first; whoever calls hands in how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from alignsuite.config import Settings
from alignsuite.errors import ModelError
from alignsuite.judges.registry import model_of, models_among, unknown
from alignsuite.models.broker.broker import Broker
from alignsuite.models.protocol import Framing, Model
from alignsuite.models.store import Store


def open_model(
    settings: Settings,
    from_hook: Callable[[], Model | None],
    show: Callable[[str], None] | None,
    framing: Framing | None = None,
) -> Model:
    """Model that `--model` named; a guard's is opened with its framing, of which a hook's model knows nothing.

    Raises:
        ModelError: when there is none of that name, or it can't be had.
    """
    assert settings.model is not None
    model = from_hook()
    if model is None:
        from alignsuite.models.registry import ModelSettings
        from alignsuite.models.registry import open_model as open_named

        model = open_named(
            settings.model,
            settings=ModelSettings(
                settings.cache, settings.base_url, settings.api_key, progress=show,
                requests_per_minute=settings.requests_per_minute, tokens_per_minute=settings.tokens_per_minute,
                device=settings.device, adapter=settings.adapter, trust_remote_code=settings.trust_remote_code,
                allow_pickle=settings.allow_pickle, body=settings.body, thinking_tokens=settings.thinking_tokens, framing=framing,
                template_arguments=settings.template_arguments if framing is None else framing.arguments,
            ),
        )  # fmt: skip
    if not isinstance(model, Model):
        raise ModelError(f"pytest_alignsuite_open_model returned {model!r} for {settings.model}: wanted a Model")
    return model


def open_judges(
    settings: Settings, open_one: Callable[[Settings, Framing | None], Model], store: Store
) -> dict[str, Broker]:
    """Brokers before the models among the judges that `--align-judge` named, by that name.

    They are opened as `--model` would be, but for what belongs to the model under test alone: its adapter, its device, its pace, the leave
    to run its code, and what its template and its requests get besides. A guard's is opened with the guard's own framing. They share the
    store, and each has a budget of its own, as large as the model's.

    Args:
        settings: those of the session.
        open_one: opens the model that some settings name, with a framing if there is one.
        store: where their answers are looked for and kept.

    Raises:
        SettingsError: for a name that is no judge's and no model's, or a model that can't be had.
    """
    found = {}
    for name in models_among(settings.judges):
        wanted = model_of(name)
        as_model = replace(
            settings, model=wanted.name, base_url=settings.judge_base_url or settings.base_url, device=None, adapter=wanted.adapter,
            api_key=settings.judge_api_key or settings.api_key, trust_remote_code=False, allow_pickle=False,
            requests_per_minute=None, tokens_per_minute=None, template_arguments={}, body={}, thinking_tokens=0,
        )  # fmt: skip
        try:
            model = open_one(as_model, wanted.framing)
        except ModelError as error:
            raise unknown(name, error) from None
        found[name] = Broker(model, store, replay=settings.replay, budget=settings.budget)
    return found
