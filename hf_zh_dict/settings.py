"""Settings in (preset, YAML file, command line), one frozen `Config` out.

Later wins: the defaults of config.py, then the preset, then the YAML file, then dotted settings of
the command line (`train.learning_rate=3e-4`). An unknown key or a value of the wrong kind stops the
run with its name.
"""

import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from hf_zh_dict.config import Config
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import N_, InputError, _

PRESET_FOLDER = Path(__file__).parent / "presets"
DEFAULT_PRESET = "quickstart"


def list_settings() -> Iterator[tuple[str, Any, Any, str]]:
    """Every setting: dotted key, type, default, explanation."""
    for section in fields(Config):
        section_type = typing.get_type_hints(Config)[section.name]
        hints = typing.get_type_hints(section_type)
        for item in fields(section_type):
            yield (
                f"{section.name}.{item.name}",
                hints[item.name],
                item.default,
                item.metadata["help"],
            )


def convert(key: str, kind: Any, value: Any) -> Any:
    """A YAML or command-line value as the setting's type (`3e-4` is a number in both)."""
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # X | None
        if value is None or value in ("none", "None", ""):
            return None
        return convert(key, options[0], value)
    if origin is tuple:
        items = [value] if isinstance(value, str | int | float) else list(value or [])
        return tuple(convert(key, options[0], item) for item in items)
    if origin is Literal:
        if value is False:  # YAML reads a bare `no` so
            value = "no"
        if value not in options:
            raise InputError(
                _("{key}: “{value}” is none of {options}.").format(
                    key=key, value=value, options=", ".join(option or '""' for option in options)
                )
            )
        return value
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                str(value).lower()
            ]
        if isinstance(value, bool | dict | list) or value is None:
            raise ValueError
        if kind is int:
            if re.fullmatch(r"[+-]?[\d_]+", str(value)):
                return int(value)
            if float(value) != int(float(value)):  # 1e4 is a whole number too
                raise ValueError
            return int(float(value))
        return kind(value)
    except (ValueError, KeyError, OverflowError):
        raise InputError(
            _("{key}: “{value}” is no {kind}.").format(key=key, value=value, kind=kind_name(kind))
        ) from None


def kind_name(kind: Any) -> str:
    names = {
        bool: N_("true or false"),
        int: N_("whole number"),
        float: N_("number"),
        str: N_("text"),
    }
    return _(names[kind])


def nearest(name: str, names: list[str]) -> str:
    """` (did you mean “x”?)`, or nothing when nothing is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return " " + _("(did you mean “{name}”?)").format(name=near[0]) if near else ""


def flatten(tree: object, *, source: str) -> dict[str, Any]:
    """A YAML file's sections as dotted keys; unknown keys are refused with the nearest name."""
    kinds = {key: kind for key, kind, _default, _help in list_settings()}
    sections = {key.split(".")[0] for key in kinds}
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise InputError(
            _("{source}: must hold sections such as “train:”, each with its settings.").format(
                source=source
            )
        )
    flat = {}
    for section, values in tree.items():
        if section not in sections:
            hint = nearest(str(section), sorted(sections))
            raise InputError(
                _("{source}: unknown section “{key}”{hint}.").format(
                    source=source, key=section, hint=hint
                )
            )
        if not isinstance(values, Mapping | None):
            raise InputError(
                _("{source}: section “{key}” must hold settings.").format(
                    source=source, key=section
                )
            )
        for name, value in (values or {}).items():
            key = f"{section}.{str(name).replace('-', '_')}"
            if key not in kinds:
                raise InputError(
                    _("{source}: unknown key “{key}”{hint}.").format(
                        source=source, key=f"{section}.{name}", hint=nearest(key, list(kinds))
                    )
                )
            flat[key] = convert(key, kinds[key], value)
    return flat


def read_settings(path: Path) -> dict[str, Any]:
    """A YAML file's settings as dotted keys."""
    import yaml

    try:
        return flatten(yaml.safe_load(path.read_text(encoding="utf-8")), source=path.name)
    except FileNotFoundError:
        raise InputError(_("{path}: there is no such file.").format(path=path)) from None
    except UnicodeDecodeError:
        raise InputError(_("{path}: not UTF-8; save it as UTF-8.").format(path=path)) from None
    except (yaml.YAMLError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(_("{path}: not YAML: {reason}").format(path=path, reason=reason)) from None


def preset_names() -> list[str]:
    return sorted(path.stem for path in PRESET_FOLDER.glob("*.yaml"))


def preset_path(name: str) -> Path:
    if name not in preset_names():
        raise InputError(
            _("unknown preset “{name}”{hint}; the presets are {names}.").format(
                name=name, hint=nearest(name, preset_names()), names=", ".join(preset_names())
            )
        )
    return PRESET_FOLDER / f"{name}.yaml"


def load_config(
    *,
    preset: str | None = None,
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Defaults, then preset, then file, then overrides (dotted key → value).

    Raises:
        InputError: a key or value is not a setting's, or settings do not fit together.
    """
    flat: dict[str, Any] = {}
    if preset:
        flat |= read_settings(preset_path(preset))
    if path:
        flat |= read_settings(path)
    kinds = {key: kind for key, kind, _default, _help in list_settings()}
    for key, value in (overrides or {}).items():
        if key not in kinds:
            raise InputError(
                _("unknown setting “{key}”{hint}.").format(key=key, hint=nearest(key, list(kinds)))
            )
        flat[key] = convert(key, kinds[key], value)
    sections: dict[str, dict[str, Any]] = {section.name: {} for section in fields(Config)}
    for key, value in flat.items():
        section, name = key.split(".")
        sections[section][name] = value
    hints = typing.get_type_hints(Config)
    return Config(**{name: hints[name](**values) for name, values in sections.items()})


def save_config(config: Config, path: Path) -> None:
    """The resolved settings as YAML; `load_config(path=…)` gives them back."""
    import yaml

    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, yaml.safe_dump(config.to_dict(), allow_unicode=True, sort_keys=False))
