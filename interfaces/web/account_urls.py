from django.urls import path

from interfaces.web import accounts

app_name = "accounts"
urlpatterns = [
    path("sign-up/", accounts.SignUp.as_view(), name="sign_up"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign_out"),
    path("password/", accounts.Password.as_view(), name="password"),
    path("profile/", accounts.Profile.as_view(), name="profile"),
]
