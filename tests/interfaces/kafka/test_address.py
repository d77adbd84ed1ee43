"""KAFKA_URL, as librdkafka's options, and what is said without it."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from chattalk.server.workers import ROOT
from interfaces.kafka import address


def test_hosts_have_kafkas_port_unless_they_say_another():
    assert address.parse("kafka://one,two:9093") == {
        "bootstrap.servers": "one:9092,two:9093",
        "security.protocol": "PLAINTEXT",
    }


def test_who_signs_in_does_so_by_scram_unless_they_say_otherwise():
    found = address.parse("kafka+ssl://me:p%40ss@[::1]:9093/?ssl.ca.location=/etc/ca.pem")
    assert found == {
        "bootstrap.servers": "[::1]:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me",
        "sasl.password": "p@ss",
        "ssl.ca.location": "/etc/ca.pem",
    }
    plain = address.parse("kafka://me:pass@host/?sasl.mechanism=PLAIN")
    assert plain["security.protocol"] == "SASL_PLAINTEXT"
    assert plain["sasl.mechanism"] == "PLAIN"


@pytest.mark.parametrize(
    "url",
    [
        "host:9092",
        "http://host",
        "kafka://",
        "kafka://one,,two",
        "kafka://host:0",
        "kafka://host:99999",
        "kafka://hidden@host",
        "kafka://me:hidden@host/path",
        "kafka://me:hidden@host/?transactional.id=x",
    ],
)
def test_what_is_wrong_is_told_without_what_was_given(url):
    with pytest.raises(ValueError) as refused:
        address.parse(url)
    assert "hidden" not in str(refused.value)


def test_without_the_extra_it_is_said_how_to_install_it(tmp_path):
    (tmp_path / "confluent_kafka.py").write_text("raise ImportError")
    run = subprocess.run(
        [sys.executable, "manage.py", "ingest"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "KAFKA_URL": "kafka://127.0.0.1:1"},
        capture_output=True,
        text=True,
    )
    [line] = run.stderr.splitlines()
    assert run.returncode == 1 and "pip install 'chattalk[kafka]'" in line


def test_without_an_address_it_is_said_which_setting_is_missing():
    with pytest.raises(ImproperlyConfigured, match="KAFKA_URL is empty"):
        call_command("relay")
