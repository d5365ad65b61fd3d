"""The Model: does it still decide well, and if not, which input, segment or label is the reason?

Recorded series (prometheus/rules/) are of the whole service; the version narrows the card's.
"""

from __future__ import annotations

from grafana.dashboard import Dashboard, Kind, Line, Panel, Query, Section, rising
from grafana.limits import OF_LIMIT, SOME, thresholds
from grafana.promql import SERVED_VERSION
from grafana.ratios import (
    FEATURES,
    SCORE,
    calibration_ratios,
    drift_ratio,
    drift_ratios,
    gap_ratios,
    jump_ratios,
    loss_ratios,
    share_ratio,
)
from prometheus.generator.recordings.score_change import WINDOWS as CHANGE_WINDOWS
from prometheus.generator.recordings.score_change import change_that_adds_up
from telemetry.baseline import BELOW

NO_LABELS = "no label came yet"
FEW_LABELS = "fewer labels came than a comparison needs"
FEW_EXPLAINED = "nothing moved, or fewer predictions were explained than it takes to say why"
FEW = "fewer transactions came than a comparison needs"
NO_CHALLENGER = "there is no challenger"
ALL = 'role="champion", segment="all"'


def quality(measure: str, id: int, why: str, *more: Query) -> Panel:
    """Live, expected and promised, with the live figure's confidence band."""
    series = f"model_{measure}"
    chosen = f'{{{ALL}, measure="{measure}"}}'
    holdout = f'{series}{{evaluation="holdout"}} and on (job, instance) {SERVED_VERSION}'
    return Panel(
        id=id,
        title=f"{measure.capitalize()}: still as promised?",
        why=f"{why} Solid: labels of the last day, with the band that chance leaves open (95 %). "
        "Dashed: estimated from the scores alone, hours before labels. Dotted: the model card.",
        unit="percentunit",
        queries=(
            Query("live", f'max({series}{{evaluation="live"}})', empty=NO_LABELS),
            Query("expected", f'max({series}{{evaluation="expected"}})', Line.EXPECTED, FEW),
            *more,
            Query("card", f"min({holdout})", Line.CARD),
            Query("low", f"min(segment:outcomes:share_low1d{chosen})", Line.LOW, NO_LABELS),
            Query("high", f"max(segment:outcomes:share_high1d{chosen})", Line.HIGH, NO_LABELS),
        ),
        empty="No label of the last day yet, and too few transactions for an estimate.",
        top=1,
        then="fraud-pipeline",
    )


def with_ranges(shares: str, baseline: str) -> str:
    """The shares by bin of the chosen versions, with the label `range` of the baseline's gauge.

    What is below the first bin comes before it. `topk`: were two versions of one slot served within
    a day, the join would fail without.
    """
    bin, served = "bin, version_slot", f"last_over_time({SERVED_VERSION}[24h])"
    ranges = f"max by ({bin}, range) (last_over_time({baseline}[24h]))"
    named = (
        f"max by (bin, range) (max by ({bin}) ({shares} and on (version_slot) {served})"
        f" * on ({bin}) group_left (range) (0 * topk by ({bin}) (1, {ranges}) + 1))"
    )
    return f'label_replace({named}, "bin", "00", "bin", "{BELOW}")'


FEATURE_BASELINE = 'feature_baseline_share{feature="$feature"}'
SCORE_BASELINE = "score_baseline_share"


def share_of_bins(increase: str, of: str) -> str:
    """Part of the labelled transactions of a score bin, for each bin."""
    return f"sum by (bin) ({increase}) / sum by (bin) ({of} > 0)"


LABELLED = "bin:outcome_scores:increase1d"
EXPECTED_SHARE = share_of_bins("bin:outcome_probability:increase1d", LABELLED)
REALISED_SHARE = (
    f'(sum by (bin) ({LABELLED}{{truth="fraud"}}) or 0 * sum by (bin) ({LABELLED}))'
    f" / (sum by (bin) ({LABELLED}) > 0)"
)

LIMITS = (
    Panel(
        id=1,
        title="How near is each alert?",
        why="Each statistic as a part of what its alert allows: at 100 % the alert's condition "
        "holds, for the window that is worst, and the panels below say what moved.",
        unit="percentunit",
        queries=(
            Query("inputs drift", f"max({drift_ratios(FEATURES)})", empty=FEW),
            Query("score drifts", f"max({drift_ratios(SCORE)})", empty=FEW),
            Query(
                "fraud share",
                f"max({jump_ratios('fraud_share', 'model_holdout_alert_rate')})",
                empty=FEW,
            ),
            Query(
                "mean score",
                f"max({jump_ratios('mean_score', 'model_holdout_mean_score')})",
                empty=FEW,
            ),
            Query("quality lost", f"max({loss_ratios()})", empty=FEW_LABELS),
            Query("calibration", f"max({calibration_ratios()})", empty=FEW_LABELS),
            Query("expected - realised", f"max({gap_ratios()})", empty=FEW_LABELS),
            Query("challenger's share", f"max({share_ratio()})", empty=NO_CHALLENGER),
        ),
        thresholds=OF_LIMIT,
        alerts=(
            "ScoreDrift",
            "FraudRateJump",
            "MeanScoreJump",
            "DriftSoon",
            "CalibrationBroken",
            "SampleRatioMismatch",
        ),
        empty="Fewer transactions came than a comparison needs, and no label.",
        width=24,
    ),
)

QUALITY = (
    quality(
        "recall",
        2,
        "Does the model still find the frauds? Soon after a rollout only the quick labels are "
        "there, and it flatters; where mostly alarms are labelled, believe the corrected one.",
        Query("corrected", "max(job:outcomes:corrected_recall1d)", Line.EXPECTED, NO_LABELS),
    ),
    quality("precision", 3, "Do its alarms still mean fraud?"),
    Panel(
        id=4,
        title="Quality lost, of the limit",
        why="How far live accuracy, precision and recall are below the card, as a part of what the "
        "alert allows beyond chance. At 100 %: retrain, or roll back if the model is new.",
        unit="percentunit",
        queries=(Query("{{measure}}", f"max by (measure) ({loss_ratios()})", empty=FEW_LABELS),),
        thresholds=OF_LIMIT,
        alerts=("LiveQualityLow", "LiveQualitySoonLow"),
        empty="Fewer labels came in a day than a comparison needs.",
    ),
    Panel(
        id=5,
        title="Expected - realised, of the limit",
        why="Realised performance against what the scores promised. At 100 %: the relation of "
        "inputs and fraud has changed (concept drift), which no input shows.",
        unit="percentunit",
        queries=(Query("{{measure}}", f"max by (measure) ({gap_ratios()})", empty=FEW_LABELS),),
        thresholds=OF_LIMIT,
        alerts=("ExpectedPerformanceGap",),
        empty="Fewer labels came in a day than a comparison needs.",
    ),
    Panel(
        id=6,
        title="Where is it worse?",
        why="Recall by segment, with its confidence interval and the frauds that it rests on. A "
        "segment whose interval lies below the others': look at its inputs.",
        unit="percentunit",
        kind=Kind.TABLE,
        queries=tuple(
            Query(
                legend,
                f"max by (segment, value) (segment:outcomes:{series}1d"
                '{role="champion", measure="recall"})',
                empty=NO_LABELS,
                unit=unit,
            )
            for legend, series, unit in (
                ("recall", "share", ""),
                ("low", "share_low", ""),
                ("high", "share_high", ""),
                ("frauds", "trials", "short"),
            )
        ),
        by="segment",
        empty="No label of the last day yet.",
    ),
    Panel(
        id=7,
        title="Are the scores probabilities?",
        why="Calibration: of the labelled transactions of each score bin, the share that was fraud "
        "against the share that the scores expect. On the diagonal they are the same; above it the "
        "scores are too low.",
        unit="percentunit",
        kind=Kind.SCATTER,
        queries=(
            Query("expected share", EXPECTED_SHARE, empty=NO_LABELS),
            Query("realised share", REALISED_SHARE, empty=NO_LABELS),
            Query("diagonal", EXPECTED_SHARE, Line.CARD, NO_LABELS),
        ),
        by="bin",
        empty="No label of the last day yet.",
    ),
    Panel(
        id=8,
        title="AUC and Brier score",
        why="How well scores order transactions (AUC: 1 is perfect, 0.5 is chance) and how far "
        "they are from the labels (Brier: 0 is perfect), whatever the threshold is. AUC is of 20 "
        "bins here, up to 0.004 below the card's, which is of the scores themselves.",
        unit="short",
        queries=(
            Query("AUC", "max(job:outcome_scores:roc_auc1d)", empty=NO_LABELS),
            Query("Brier", "max(job:outcome_scores:brier1d)", empty=NO_LABELS),
        ),
        empty="No label of the last day yet.",
        top=1,
        width=24,
        height=6,
    ),
)

INPUTS = (
    Panel(
        id=9,
        title="Drift of the inputs, of the alert's limit",
        why="Which input has moved, and does it matter? PSI beyond what chance gives, as a part of "
        "what FeatureDrift allows in that window, beside the input's importance. A moved input "
        "that the model hardly uses changes little.",
        unit="percentunit",
        kind=Kind.TABLE,
        queries=(
            *(
                Query(
                    window,
                    f"max by (feature) ({drift_ratio(FEATURES, window)})",
                    empty=FEW,
                    thresholds=OF_LIMIT,
                )
                for window in thresholds().drift.psi
            ),
            Query(
                "importance in training",
                'max by (feature) (feature_importance{source="training"})',
                unit="percentunit",
            ),
            Query(
                "importance now",
                'max by (feature) (feature_importance{source="live"})',
                empty="no scored transaction was attributed to inputs yet",
                unit="percentunit",
            ),
        ),
        by="feature",
        alerts=("FeatureDrift",),
        empty="Fewer transactions came than a comparison needs.",
    ),
    Panel(
        id=10,
        title="Does the drift matter?",
        why="Each input by its importance and its drift of a day. Upper right: moved and "
        "important, look there first.",
        unit="percentunit",
        kind=Kind.SCATTER,
        queries=(
            Query("importance", 'max by (feature) (feature_importance{source="training"})'),
            Query("drift", f"max by (feature) ({drift_ratio(FEATURES, '24h')})", empty=FEW),
        ),
        by="feature",
        empty="Fewer transactions came than a comparison needs.",
    ),
    Panel(
        id=24,
        title="What moved the score?",
        why="The mean score less the holdout's, divided among the inputs by their mean "
        "contributions. Look at the largest, up or down. They are of the explained predictions, a "
        "sample, and are shown where they add up to the whole change within half of it.",
        unit="percentunit",
        kind=Kind.TABLE,
        queries=tuple(
            Query(window, f"max by (feature) {change_that_adds_up(window)}", empty=FEW_EXPLAINED)
            for window in CHANGE_WINDOWS
        ),
        by="feature",
        empty="The mean score has hardly moved, or too few predictions were explained to say why "
        "(EXPLAIN_PERCENT).",
    ),
    Panel(
        id=12,
        title="Distribution of $feature",
        why="Share of the transactions of a day in each bin of the model's baseline, beside the "
        "baseline itself. Below and above: outside of what the model was trained on.",
        unit="percentunit",
        kind=Kind.BARS,
        queries=(
            Query(
                "last 24 h",
                with_ranges(
                    'feature_bin:feature_values:share24h{feature="$feature"}', FEATURE_BASELINE
                ),
                empty=FEW,
            ),
            Query(
                "baseline",
                with_ranges(
                    'feature_bin:feature_baseline_share:last24h{feature="$feature"}',
                    FEATURE_BASELINE,
                ),
                empty="the rules have not run yet",
            ),
        ),
        by="range",
        order="bin",
        empty="Fewer transactions came than a comparison needs.",
    ),
    Panel(
        id=13,
        title="Distribution of the score",
        why="Share of the scores of a day in each bin of the holdout, beside the holdout. More in "
        "the last bins: more is called fraud.",
        unit="percentunit",
        kind=Kind.BARS,
        queries=(
            Query(
                "last 24 h", with_ranges("job_bin:score_values:share24h", SCORE_BASELINE), empty=FEW
            ),
            Query(
                "holdout",
                with_ranges("job_bin:score_baseline_share:last24h", SCORE_BASELINE),
                empty="the rules have not run yet",
            ),
        ),
        by="range",
        order="bin",
        empty="Fewer transactions came than a comparison needs.",
        width=8,
    ),
    *(
        Panel(
            id=id,
            title=f"{title} against the holdout",
            why=f"{title} of an hour, with two deviations of chance around the holdout's. Outside "
            "of the band: attack, changed data or a broken model.",
            unit="percentunit",
            queries=(
                Query("last hour", f"max(job:predictions:{name}1h)", empty=FEW),
                Query("card", f"max(job:{card}:last1h)", Line.CARD, "the rules have not run yet"),
                Query(
                    "low",
                    f"max(job:{card}:last1h - 2 * job:predictions:{name}_deviation1h)",
                    Line.LOW,
                    FEW,
                ),
                Query(
                    "high",
                    f"max(job:{card}:last1h + 2 * job:predictions:{name}_deviation1h)",
                    Line.HIGH,
                    FEW,
                ),
            ),
            empty="Fewer transactions came in an hour than a comparison needs.",
            width=8,
        )
        for id, title, name, card in (
            (14, "Fraud share", "fraud_share", "model_holdout_alert_rate"),
            (15, "Mean score", "mean_score", "model_holdout_mean_score"),
        )
    ),
)

LABELS = (
    Panel(
        id=16,
        title="Labelled",
        why="Share of the day's predictions whose true class is known by now. Low: live quality "
        "rests on few. Red: none came in a day.",
        unit="percentunit",
        kind=Kind.STAT,
        queries=(
            Query(
                "labelled",
                "max(job:outcomes:coverage1d and on (job) "
                'sum by (job) (outcomes_total{role="champion"}) > 0)',
                empty=NO_LABELS,
            ),
        ),
        thresholds=SOME,
        alerts=("LabelsStalled",),
        empty="No label of the last day yet.",
        width=4,
        height=6,
    ),
    Panel(
        id=17,
        title="Delay, P50",
        why="Half of the labels come within this time of the prediction. Growing: whoever labels "
        "falls behind.",
        unit="s",
        kind=Kind.STAT,
        queries=(Query("P50", "max(job:outcome_delay_seconds:p50_1d)", empty=NO_LABELS),),
        empty="No label of the last day yet.",
        width=4,
        height=6,
    ),
    Panel(
        id=18,
        title="Delay, P90",
        why="Nine of ten labels come within this time of the prediction; live quality is about as "
        "old.",
        unit="s",
        kind=Kind.STAT,
        queries=(Query("P90", "max(job:outcome_delay_seconds:p90_1d)", empty=NO_LABELS),),
        empty="No label of the last day yet.",
        width=4,
        height=6,
    ),
    Panel(
        id=19,
        title="Feedback by result",
        why="What became of the labels that were sent in a day. Repeated, expired, forged or "
        "foreign ones are not counted: ask their sender.",
        unit="short",
        kind=Kind.BARS,
        queries=(Query("labels", "sum by (result) (result:feedback:increase1d)", empty=NO_LABELS),),
        by="result",
        empty="No label of the last day yet.",
        width=12,
        height=6,
    ),
)

CHALLENGER = (
    Panel(
        id=20,
        title="Gain of the challenger",
        why="By how much more often the challenger is right where the two differ, per labelled "
        "transaction, with its confidence band. The band above zero: "
        "`promote --if-better` decides.",
        unit="percentunit",
        queries=(
            Query("gain", "max(job:challenger:gain7d)", empty=NO_CHALLENGER),
            Query("low", "max(job:challenger:gain_low7d)", Line.LOW, NO_CHALLENGER),
            Query("high", "max(job:challenger:gain_high7d)", Line.HIGH, NO_CHALLENGER),
        ),
        empty="There is no challenger, or no label of both.",
        signed=True,
    ),
    Panel(
        id=21,
        title="Disagreement of the two",
        why="Share of the decisions on which champion and challenger differ. Above the line: more "
        "than is usual, look at the challenger before it is promoted.",
        unit="percentunit",
        queries=(Query("differ", "max(job:challenger:disagreement24h)", empty=NO_CHALLENGER),),
        thresholds=rising(watch=thresholds().challenger.disagreement),
        alerts=("ChallengerDisagrees",),
        empty="There is no challenger.",
    ),
    Panel(
        id=22,
        title="Traffic to the challenger",
        why="Share of the traffic that the challenger answers, and the share that was set. Apart "
        "beyond chance: comparisons are biased.",
        unit="percentunit",
        queries=(
            Query("answered", "max(job:challenger:share24h)", empty=NO_CHALLENGER),
            Query("set", "max(job:challenger:share_expected24h)", Line.CARD, NO_CHALLENGER),
        ),
        empty="There is no challenger.",
    ),
    Panel(
        id=23,
        title="What became of its requests",
        why="Transactions a second that the challenger scored, failed on, was too late for or was "
        "spared. Late or skipped ones: it is slower than the traffic.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query(
                "{{result}}", "sum by (result) (rate(challenger_requests_total[$__rate_interval]))"
            ),
        ),
        empty="There is no challenger.",
    ),
)

DASHBOARD = Dashboard(
    uid="fraud-model",
    title="Fraud detection: model",
    question="Does the model still decide well, and if not, why?",
    sections=(
        Section("Limits", LIMITS),
        Section("Quality, from labels", QUALITY),
        Section("Inputs and scores", INPUTS),
        Section("Delayed labels (feedback)", LABELS),
        Section("Challenger", CHALLENGER, collapsed=True),
    ),
    variables=("job", "version", "feature"),
    time="7d",
    refresh="1m",
)
