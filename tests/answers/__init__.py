"""Right answers to the exercises of the checker, each in several styles, of which none may be
flagged."""

ANSWERS = []  # (exercise, style, function, class or pair)


def answers(exercise, style):
    """Enter what is decorated, a function, a class or a pair, as a right answer to `exercise`."""

    def enter(answer):
        ANSWERS.append((exercise, style, answer))
        return answer

    return enter
