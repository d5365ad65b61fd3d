"""The Model: does it still decide well, and if not, which input, segment or label is the reason?

Recorded series (prometheus/rules/) are of the whole service; the version narrows the card's.
"""

from __future__ import annotations

from grafana.dashboard import Dashboard, Kind, Line, Panel, Query, Section, rising
from grafana.limits import thresholds
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
)

NO_LABELS = "no label came yet"
FEW = "fewer transactions came than a comparison needs"
NO_CHALLENGER = "there is no challenger"
ALL = 'role="champion", segment="all"'
OF_LIMIT = rising(watch=0.5, act=1)


def quality(measure: str, id: int, why: str) -> Panel:
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
            Query("card", f"min({holdout})", Line.CARD),
            Query("low", f"min(segment:outcomes:share_low1d{chosen})", Line.LOW, NO_LABELS),
            Query("high", f"max(segment:outcomes:share_high1d{chosen})", Line.HIGH, NO_LABELS),
        ),
        empty="No label of the last day yet, and too few transactions for an estimate.",
        top=1,
        then="fraud-pipeline",
    )


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
            Query("quality lost", f"max({loss_ratios()})", empty=NO_LABELS),
            Query("calibration", f"max({calibration_ratios()})", empty=NO_LABELS),
            Query("expected - realised", f"max({gap_ratios()})", empty=NO_LABELS),
        ),
        thresholds=OF_LIMIT,
        alerts=("ScoreDrift", "FraudRateJump", "MeanScoreJump", "DriftSoon"),
        empty="Fewer transactions came than a comparison needs, and no label.",
        width=24,
    ),
)

QUALITY = (
    quality("recall", 2, "Does the model still find the frauds?"),
    quality("precision", 3, "Do its alarms still mean fraud?"),
    Panel(
        id=4,
        title="Quality lost, of the limit",
        why="How far live accuracy, precision and recall are below the card, as a part of what the "
        "alert allows beyond chance. At 100 %: retrain, or roll back if the model is new.",
        unit="percentunit",
        queries=(Query("{{measure}}", f"max by (measure) ({loss_ratios()})", empty=NO_LABELS),),
        thresholds=OF_LIMIT,
        alerts=("LiveQualityLow", "LiveQualitySoonLow"),
        empty="No label of the last day yet.",
    ),
    Panel(
        id=5,
        title="Expected - realised, of the limit",
        why="Realised performance against what the scores promised. At 100 %: the relation of "
        "inputs and fraud has changed (concept drift), which no input shows.",
        unit="percentunit",
        queries=(Query("{{measure}}", f"max by (measure) ({gap_ratios()})", empty=NO_LABELS),),
        thresholds=OF_LIMIT,
        alerts=("ExpectedPerformanceGap",),
        empty="No label of the last day yet.",
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
        alerts=("CalibrationBroken",),
        empty="No label of the last day yet.",
    ),
    Panel(
        id=8,
        title="AUC and Brier score",
        why="How well scores order transactions (AUC: 1 is perfect, 0.5 is chance) and how far "
        "they are from the labels (Brier: 0 is perfect), whatever the threshold is.",
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
        id=12,
        title="Distribution of $feature",
        why="Share of the transactions of a day in each bin of the model's baseline, beside the "
        "baseline itself. Below and above: outside of what the model was trained on.",
        unit="percentunit",
        kind=Kind.BARS,
        queries=(
            Query(
                "last 24 h",
                'max by (bin) (feature_bin:feature_values:share24h{feature="$feature"})',
                empty=FEW,
            ),
            Query(
                "baseline",
                'max by (bin) (feature_bin:feature_baseline_share:last24h{feature="$feature"})',
                empty="the rules have not run yet",
            ),
        ),
        by="bin",
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
            Query("last 24 h", "max by (bin) (job_bin:score_values:share24h)", empty=FEW),
            Query(
                "holdout",
                "max by (bin) (job_bin:score_baseline_share:last24h)",
                empty="the rules have not run yet",
            ),
        ),
        by="bin",
        empty="Fewer transactions came than a comparison needs.",
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
        "rests on few.",
        unit="percentunit",
        kind=Kind.STAT,
        queries=(Query("labelled", "max(job:outcomes:coverage1d)", empty=NO_LABELS),),
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
            Query("set", "max(job:challenger_share_target:last)", Line.CARD, NO_CHALLENGER),
        ),
        alerts=("SampleRatioMismatch",),
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
    variables=("version", "feature"),
    time="7d",
    refresh="1m",
)
