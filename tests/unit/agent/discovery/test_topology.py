from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing
from roost_agent.discovery.topology import cores_of, packages_of, read_threads

CPU = "sys/devices/system/cpu"


def plant_thread(tree, number, *, package=0, core=0, siblings=None):
    at = f"{CPU}/cpu{number}/topology"
    tree.plant(
        {
            f"{at}/physical_package_id": package,
            f"{at}/core_id": core,
            f"{at}/thread_siblings_list": str(number) if siblings is None else siblings,
        }
    )


def test_cores_with_the_same_id_on_two_dies_are_two(tree):
    plant_thread(tree, 0, core=0)
    plant_thread(tree, 1, core=0)
    assert len(cores_of(read_threads(tree.reader()))) == 2


def test_siblings_share_a_core(tree):
    plant_thread(tree, 0, siblings="0,2")
    plant_thread(tree, 2, siblings="0,2")
    assert len(cores_of(read_threads(tree.reader()))) == 1


def test_siblings_come_from_the_mask_of_an_old_kernel(tree):
    plant_thread(tree, 0)
    (tree.root / CPU / "cpu0/topology/thread_siblings_list").unlink()
    tree.plant({f"{CPU}/cpu0/topology/thread_siblings": "00000005"})
    assert read_threads(tree.reader())[0].siblings == [0, 2]


def test_the_kernels_minus_one_is_no_id(tree):
    plant_thread(tree, 0, package=-1)
    tree.plant({f"{CPU}/cpu0/topology/cluster_id": 65535})
    (thread,) = read_threads(tree.reader())
    assert thread.package == thread.cluster == Missing(UNSUPPORTED)
    assert thread.die == Missing(ABSENT)


def test_threads_that_all_lack_a_package_are_in_package_0(tree):
    plant_thread(tree, 0, package=-1)
    plant_thread(tree, 1, package=-1)
    packages = packages_of(read_threads(tree.reader()))
    assert {package: len(threads) for package, threads in packages.items()} == {0: 2}


def test_an_offline_thread_is_listed_and_in_no_package(tree):
    plant_thread(tree, 0)
    plant_thread(tree, 1)  # some kernels keep its topology
    tree.plant({f"{CPU}/online": "0"})
    threads = read_threads(tree.reader())
    assert [thread.online for thread in threads] == [True, False]
    assert [thread.number for thread in packages_of(threads)[0]] == [0]


def test_without_a_list_each_thread_says_whether_it_is_online(tree):
    plant_thread(tree, 0)
    plant_thread(tree, 1)
    tree.plant({f"{CPU}/cpu1/online": 0})
    assert [thread.online for thread in read_threads(tree.reader())] == [True, False]


def test_a_cpu_that_two_nodes_claim_belongs_to_the_first(tree):
    plant_thread(tree, 0)
    node = "sys/devices/system/node"
    tree.plant({f"{node}/node0/cpulist": "0-7", f"{node}/node1/cpulist": "0-7"})
    assert read_threads(tree.reader())[0].node == 0


def test_names_that_only_look_like_cpus_are_none(tree):
    plant_thread(tree, 0)
    tree.plant({f"{CPU}/cpufreq/boost": 1, f"{CPU}/cpu\u0661/x": "", f"{CPU}/cpu999999/x": ""})
    assert [thread.number for thread in read_threads(tree.reader())] == [0]


def test_a_machine_without_sysfs_says_so(tree):
    assert read_threads(tree.reader()) == Missing(ABSENT)
