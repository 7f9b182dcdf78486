"""The commands for learners: their own file, checked."""


def check(options):
    """Check your own file: a report on every exercise that it answers."""
    # the exercises take a moment to load
    from ..grading.one_file import as_json_lines, as_lines, check_file, exit_status

    submission = check_file(options.file, options.exercises, options.seconds)
    print(as_json_lines(submission) if options.json else as_lines(submission, options.exercises))
    return exit_status(submission, options.exercises)
