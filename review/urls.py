"""The addresses of the pages; they carry ids only."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path, register_converter
from django.urls.converters import IntConverter

from review.pages import (
    accounts,
    acts,
    alerts,
    case,
    entry,
    health,
    history,
    lists,
    oidc,
    preferences,
    rejected,
    report,
    runs,
    second_factor,
    statistics,
    why,
    worklist,
)


class Id(IntConverter):
    """A number that every database holds; a longer one is no address of ours."""

    regex = "[0-9]{1,18}"


register_converter(Id, "id")
handler500 = "review.pages.fault.fault"
urlpatterns: list[URLPattern] = [
    path("", lists.home, name="home"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/search/", preferences.search, name="search"),
    path("worklist/seen/", preferences.seen, name="seen"),
    path("worklist/columns/", preferences.columns, name="columns"),
    path("worklist/views/", preferences.save_view, name="save_view"),
    path("worklist/views/<id:view_id>/", preferences.change_view, name="change_view"),
    path("worklist/export/", worklist.export, name="export"),
    path("statistics/", statistics.statistics, name="statistics"),
    path("statistics/<slug:name>.svg", statistics.picture, name="statistics_picture"),
    path("statistics/<slug:name>.csv", statistics.table, name="statistics_table"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("runs/", runs.listed, name="runs"),
    path("runs.csv", runs.table, name="runs_table"),
    path("runs/<id:run_id>/", runs.run, name="run"),
    path("runs/<id:run_id>/shards/", runs.shards, name="run_shards"),
    path("runs/<id:run_id>/outcomes.csv", runs.outcomes, name="run_outcomes"),
    path("history/", history.history, name="history"),
    path("history.csv", history.table, name="history_table"),
    path("rejected/", rejected.rejected, name="rejected"),
    path("rejected/retry/", rejected.retry, name="retry_rejected"),
    path("rejected/discard/", rejected.discard, name="discard_rejected"),
    path("rejected/take-back/", rejected.take_back, name="take_back_rejected"),
    path("rejected/<id:input_id>/", rejected.one, name="rejected_one"),
    path("rejected/<id:input_id>/bytes/", rejected.raw, name="rejected_raw"),
    path("rejected/<id:input_id>/bytes/file/", rejected.download, name="rejected_file"),
    path("case/next/", acts.next_case, name="next"),
    path("case/<id:case_id>/", case.case, name="case"),
    path("case/<id:case_id>/<slug:name>/", acts.act, name="act"),
    path("report/<id:report_id>/", report.report, name="report"),
    path("report/<id:report_id>/history/", history.of_report, name="report_history"),
    path("why/", why.ask, name="why"),
    path("why/report/<id:report_id>/", why.of_report, name="why_report"),
    path("why/input/<id:input_id>/", why.of_input, name="why_input"),
    path("login/", entry.Login.as_view(), name="login"),
    path("login/", entry.Login.as_view(), name="account_login"),  # as allauth calls it
    path("login/code/", second_factor.ask, name="mfa_authenticate"),
    path("oidc/", oidc.start, name="oidc"),
    path("oidc/back/", oidc.back, name="oidc_back"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", entry.Password.as_view(), name="password"),
    path("password/again/", second_factor.again, name="account_reauthenticate"),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/on/", second_factor.turn_on, name="mfa_activate_totp"),
    path("second-factor/picture.svg", second_factor.picture, name="second_factor_picture"),
    path("second-factor/off/", second_factor.turn_off, name="mfa_deactivate_totp"),
    path("second-factor/codes/", second_factor.codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", second_factor.new_codes, name="mfa_generate_recovery_codes"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/add/", accounts.add, name="add_account"),
    path("accounts/<id:account_id>/", accounts.account, name="account"),
    path("accounts/<id:account_id>/<slug:name>/", accounts.act, name="account_act"),
    path("health/", health.alive, name="health"),
    path("health/ready/", health.ready, name="health_ready"),
    path("health/queue/", health.queue, name="health_queue"),
]
