"""The addresses of the pages; they carry ids only."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path

from review.pages import acts, case, entry, health, lists, preferences, report, statistics, worklist

urlpatterns: list[URLPattern] = [
    path("", lists.home, name="home"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/search/", preferences.search, name="search"),
    path("worklist/seen/", preferences.seen, name="seen"),
    path("worklist/columns/", preferences.columns, name="columns"),
    path("worklist/views/", preferences.save_view, name="save_view"),
    path("worklist/views/<int:view_id>/", preferences.change_view, name="change_view"),
    path("worklist/export/", worklist.export, name="export"),
    path("statistics/", statistics.statistics, name="statistics"),
    path("statistics/<slug:name>.svg", statistics.picture, name="statistics_picture"),
    path("statistics/<slug:name>.csv", statistics.table, name="statistics_table"),
    path("runs/", lists.runs, name="runs"),
    path("rejected/", lists.rejected, name="rejected"),
    path("case/next/", acts.next_case, name="next"),
    path("case/<int:case_id>/", case.case, name="case"),
    path("case/<int:case_id>/<slug:name>/", acts.act, name="act"),
    path("report/<int:report_id>/", report.report, name="report"),
    path(
        "login/",
        LoginView.as_view(template_name="pages/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", entry.Password.as_view(), name="password"),
    path("health/", health.alive, name="health"),
    path("health/ready/", health.ready, name="health_ready"),
    path("health/queue/", health.queue, name="health_queue"),
]
