"""The project folder on a real disk."""

import os

import pytest

from hub.errors import ProjectError, UsageError
from hub.project import content_hash, find_project, own_files, read_files, reference_files
from hub.secret import Secret, resolve


@pytest.fixture
def root(tmp_path):
    for path, text in {
        "config/hub.yaml": "store: sqlite:///data/hub.db\n",
        "config/environments/demo.yaml": "",
        "routes/orders.yaml": "route: x\n",
        "mappings/orders/mine.yaml": "mapping: mine\n",
        "mappings/orders/notes.md": "not a file of the hub",
        "mappings/orders/.draft.yaml": "hidden",
        "data/hub.db": "not this",
        "README.md": "nor this",
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_project_is_the_nearest_folder_with_its_mark(root):
    deep = root / "mappings" / "orders"
    assert find_project(deep) == root.resolve()
    assert find_project(root) == root.resolve()


def test_without_a_project_the_error_says_how_to_make_one(tmp_path):
    with pytest.raises(
        UsageError, match=r"no project here: .* holds config/hub\.yaml; make a project with: o2c init DIR"
    ):
        find_project(tmp_path)


def test_only_files_that_matter_are_read(root):
    assert sorted(own_files(root)) == [
        "config/environments/demo.yaml", "config/hub.yaml", "mappings/orders/mine.yaml", "routes/orders.yaml",
    ]  # fmt: skip


def test_what_travels_with_the_hub_is_there_and_the_projects_own_wins(root):
    shared = next(path for path in reference_files() if path.startswith("connectors/presets/"))
    own = root / shared
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine: 1\n")
    files = read_files(root)
    assert files[shared] == b"mine: 1\n"
    assert set(reference_files()) <= set(files)


def test_config_and_routes_are_never_taken_from_the_hub(root):
    assert not [path for path in reference_files() if path.startswith(("config/", "routes/"))]


def test_a_link_to_a_place_outside_is_refused(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "passwords.yaml"
    outside.write_text("secret")
    (root / "config" / "other.yaml").symlink_to(outside)
    with pytest.raises(ProjectError) as error:
        own_files(root)
    assert [str(fault) for fault in error.value.faults] == [
        "config/other.yaml:0:0: error: a link to a place outside the project; put the file itself here"
    ]


def test_what_cannot_be_read_is_refused_by_its_name(root, monkeypatch):
    (root / "config/other.yaml").symlink_to("other.yaml")
    (root / "schemas").symlink_to("schemas")
    locked, scandir = str(root / "mappings/orders"), os.scandir

    def as_another_user(folder):
        if folder == locked:
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", as_another_user)  # root may read everything
    with pytest.raises(ProjectError) as error:
        own_files(root)
    assert [str(fault) for fault in error.value.faults] == [
        "config/other.yaml:0:0: error: it cannot be read: too many levels of symbolic links",
        "mappings/orders:0:0: error: it cannot be read: permission denied; let the user who runs this read it",
        "schemas:0:0: error: it cannot be read: too many levels of symbolic links",
    ]


def test_a_file_over_the_limit_is_refused(root):
    (root / "schemas").mkdir()
    with (root / "schemas" / "huge.json").open("wb") as file:
        os.truncate(file.fileno(), 16_000_001)
    with pytest.raises(ProjectError, match="the file is 16000001 bytes long; the limit is 16000000"):
        own_files(root)


def test_the_hash_names_paths_and_contents(root):
    files = own_files(root)
    assert content_hash(files) == content_hash(dict(reversed(files.items())))
    assert content_hash(files) != content_hash({**files, "routes/orders.yaml": b"route: y\n"})
    assert content_hash({"ab": b"c"}) != content_hash({"a": b"bc"})


def test_a_secret_file_is_read_without_its_line_end(tmp_path):
    (tmp_path / "bank_key").write_bytes(b"hunter2\r\n")
    assert resolve(Secret("file", "bank_key"), tmp_path) == "hunter2"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "secret://file/bank_key: cannot read bank_key in the secrets folder: No such file or directory"),
        (b"", "secret://file/bank_key: the file is empty"),
        (b"\xff\xfe\x00hunter2", "secret://file/bank_key: the file is not UTF-8 text"),
        (b"x" * 100_001, "secret://file/bank_key: the file is 100001 bytes long; a secret has at most 100000"),
    ],
)
def test_a_secret_file_that_cannot_be_read_is_named_and_not_shown(tmp_path, content, text):
    if content is not None:
        (tmp_path / "bank_key").write_bytes(content)
    with pytest.raises(UsageError) as error:
        resolve(Secret("file", "bank_key"), tmp_path)
    assert str(error.value) == text
