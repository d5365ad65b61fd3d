"""The dashboards as tables of panels, one file a dashboard."""
