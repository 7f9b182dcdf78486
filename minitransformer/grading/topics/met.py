"""Where people met a mistake, as Markdown: words, and the addresses of public reports."""


def issue(repository, number):
    """A link to an issue on GitHub."""
    return f"[{repository}#{number}](https://github.com/{repository}/issues/{number})"


def pull(repository, number):
    """A link to a pull request on GitHub."""
    return f"[{repository}#{number}](https://github.com/{repository}/pull/{number})"


def places(*each):
    """All of them in one line."""
    return "; ".join(each)
