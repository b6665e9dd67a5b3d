"""What botocore, the library below the AWS SDK for Python, signs: the reference for requests that Forebay signs."""

import os
import sys

DEBIAN = "/usr/bin/python3"  # has what scripts/install-deps.sh installs, where another Python comes first


def import_botocore():
    """The modules auth, awsrequest and credentials of botocore. Without botocore the process ends: with 77, which
    means skipped, or with 1 where FOREBAY_ORIGINS is `required`."""
    try:
        from botocore import auth, awsrequest, credentials
        return auth, awsrequest, credentials
    except ImportError:
        if os.path.realpath(sys.executable) != os.path.realpath(DEBIAN) and os.path.exists(DEBIAN):
            os.execv(DEBIAN, [DEBIAN, *sys.argv])
        print("botocore is not installed (Debian: python3-botocore)", file=sys.stderr)
        sys.exit(1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77)


auth, awsrequest, credentials = import_botocore()


def signer_for(service, region, access_key, secret, token=None):
    """The class that botocore uses for the service."""
    kind = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    return kind(credentials.Credentials(access_key, secret, token or None), service, region)


def sign(signer, request, timestamp):
    """`add_auth` of botocore at a time of ours (`20240131T235959Z`). Gives the canonical request."""
    request.context["timestamp"] = timestamp
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    text = signer.string_to_sign(request, canonical)
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return canonical


def request_of(method, url, headers, body=b"", params=(), payload=None):
    """`payload`: what X-Amz-Content-Sha256 says; nothing: the signer decides."""
    request = awsrequest.AWSRequest(method=method, url=url, data=body, params=list(params))
    for name, value in headers:
        request.headers.add_header(name, value)
    if payload:
        request.headers["X-Amz-Content-SHA256"] = payload
    return request
