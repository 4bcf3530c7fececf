"""Addresses under /api/webchat/."""

from django.urls import path

from provisioning.api import views

urlpatterns = [
    path("init", views.InitView.as_view(), name="webchat-init"),
    path("init/<str:key>", views.ProgressView.as_view(), name="webchat-progress"),
    path("notice", views.NoticeView.as_view(), name="webchat-notice"),
    path("token", views.TokenView.as_view(), name="webchat-token"),
    path("consent/withdraw", views.WithdrawView.as_view(), name="webchat-withdraw"),
    path("consent/receipt", views.ReceiptView.as_view(), name="webchat-receipt"),
]
