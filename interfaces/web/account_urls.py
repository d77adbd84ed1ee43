from django.urls import path

from interfaces.web import accounts

app_name = "accounts"
urlpatterns = [
    path("sign-up/", accounts.SignUpPage.as_view(), name="sign_up"),
    path("sign-in/", accounts.SignInPage.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOutPage.as_view(), name="sign_out"),
    path("password/", accounts.PasswordPage.as_view(), name="password"),
    path("profile/", accounts.ProfilePage.as_view(), name="profile"),
]
