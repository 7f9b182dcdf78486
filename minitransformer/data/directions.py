"""One task for each direction between two languages."""

LANGUAGES = {"en": "English", "de": "German", "fr": "French"}
DIRECTIONS = (("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en"))


def in_all_directions(prefix, task, what):
    """{name: subclass}: `task` with `source` and `target` set, under names such as
    numbers-en-de."""
    return {
        f"{prefix}-{source}-{target}": type(
            f"{task.__name__}_{source}_{target}",
            (task,),
            {
                "source": source, "target": target,
                "__doc__": f"{what}, {LANGUAGES[source]} to {LANGUAGES[target]}.",
            },
        )
        for source, target in DIRECTIONS
    }
