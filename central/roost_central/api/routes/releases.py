"""Releases: what there is, uploads, and what their holders signed."""

from typing import Final

from roost_central.access.core import Permission
from roost_central.api import release_answers, releases
from roost_central.api.route import Auth, Route

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/v1/releases",
        handler=releases.list_releases,
        answer=release_answers.ReleasePage,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="List releases with their states",
    ),
    Route(
        method="GET",
        path="/api/v1/releases/{release}",
        handler=releases.show_release,
        answer=release_answers.ReleaseDetail,
        auth=Auth.BEARER,
        permission=Permission.READ,
        summary="Show a release, and from which others a node may come to it",
    ),
    Route(
        method="GET",
        path="/api/v1/repository",
        handler=releases.show_repository,
        answer=release_answers.RepositoryAnswer,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        whole=True,
        summary="Show the metadata that the next draft follows",
    ),
    Route(
        method="POST",
        path="/api/v1/repository",
        handler=releases.publish,
        answer=release_answers.PublishedAnswer,
        body_media="application/json",
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        whole=True,
        summary="Publish metadata that offline keys signed",
    ),
    Route(
        method="GET",
        path="/api/v1/sites/{site}/repository",
        handler=releases.show_site,
        answer=release_answers.SiteRepositoryAnswer,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        summary="Show all that a site is to have, for who carries it there",
    ),
    Route(
        method="PUT",
        path="/api/v1/manifests/{manifest}",
        handler=releases.put_manifest,
        answer=release_answers.ManifestAnswer,
        body_media=releases.OCTETS,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        whole=True,
        summary="Upload the manifest of a release",
    ),
    Route(
        method="GET",
        path="/api/v1/blobs/{blob}",
        handler=releases.get_blob,
        media=(releases.OCTETS,),
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        answer_s_max=releases.READ_S_MAX,
        summary="Download a blob",
    ),
    Route(
        method="PUT",
        path="/api/v1/blobs/{blob}",
        handler=releases.put_blob,
        status=204,
        body_media=releases.OCTETS,
        auth=Auth.BEARER,
        permission=Permission.RELEASE,
        whole=True,
        summary="Upload a blob",
    ),
)
