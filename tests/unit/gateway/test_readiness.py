"""Ready means that the projection follows the log, not only that somebody answers for it."""

from gateway.readiness import STUCK_S, Progress


def test_a_projection_at_the_logs_end_is_ready_however_long_nothing_happens() -> None:
    progress = Progress(0.0)

    assert progress.moves(5, 0, 1.0)
    assert progress.moves(5, 0, 10_000.0)


def test_one_that_is_behind_is_ready_while_it_moves() -> None:
    progress = Progress(0.0)

    assert all(progress.moves(n, 100, n * STUCK_S * 0.9) for n in range(1, 20))


def test_one_that_stands_still_behind_the_log_is_not_and_recovers() -> None:
    progress = Progress(0.0)

    assert progress.moves(5, 3, 0.0)
    assert progress.moves(5, 3, STUCK_S - 1)
    assert not progress.moves(5, 3, STUCK_S)
    assert progress.moves(6, 2, STUCK_S + 1)
