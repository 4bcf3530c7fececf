"""Addresses under /api/crm/."""

from django.urls import path

from crm.sync import views

urlpatterns = [
    path("records", views.RecordsView.as_view(), name="crm-records"),
    path("records/<str:session_hash>", views.RecordView.as_view(), name="crm-record"),
]
