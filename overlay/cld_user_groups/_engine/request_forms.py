"""The two forms in which a method accepts a request: a model or a dict, or its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import NOTHING, AttrsInstance, fields

M = TypeVar("M", bound=AttrsInstance)


def one_request(argument: str, request: object, model: type[M], **values: Any) -> M:
    """Return the request, from whichever form was passed.

    The values of the fields are not checked here, but where the request is encoded.

    Args:
        argument: The name of the argument that accepts a model or a dict.
        request: Its value.
        model: The model.
        **values: The values of the arguments that accept a field each, None for absent.

    Raises:
        TypeError: Both forms are passed, a required field is missing, or a field is unknown.
    """
    if request is None:
        return _complete(argument, model, values)
    given = [name for name, value in values.items() if value is not None]
    if given:
        raise TypeError(f"{argument} has all fields: pass it alone, or {min(given)}= without it")
    if isinstance(request, model):
        return request
    if not isinstance(request, Mapping):
        raise TypeError(
            f"{argument} must be a {model.__name__} or a dict, not {type(request).__name__}"
        )
    passed = cast("Mapping[str, Any]", request)
    unknown = [name for name in passed if name not in values]
    if unknown:
        raise TypeError(f"{argument} has no field {unknown[0]!r}: it can have {', '.join(values)}")
    return _complete(argument, model, dict(passed))


def _complete(argument: str, model: type[M], values: dict[str, Any]) -> M:
    for field in fields(model):
        if field.default is NOTHING and values.get(field.name) is None:
            raise TypeError(
                f"{field.name} is missing: pass {field.name}=, or {argument}= with a {field.name}"
            )
    return model(**values)
