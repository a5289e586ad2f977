using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md: the version, the root, unknown properties and invalid values.</summary>
public sealed class RuntimeConfigTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("bundle.md", "config.json is in the root of the bundle")]
    public Task A_bundle_without_a_configuration_is_refused(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle();
        File.Delete(bundle.ConfigPath);
        (_, ProgramResult result) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, result.Status);
        Assert.Contains("config.json", result.Error);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#specification-version", "ociVersion is a semantic version")]
    [RuncDiffers("takes any text for a version")]
    public Task A_version_that_is_none_is_refused(string name) => Under(name, async runtime =>
    {
        foreach (string version in new[] { "", "one", "1", "1.0" })
        {
            await runtime.RefusesAsync(config => config["ociVersion"] = version);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#specification-version", "every 1.x is understood, pre-releases included")]
    public Task Versions_of_the_first_series_are_understood(string name) => Under(name, async runtime =>
    {
        foreach (string version in new[] { "1.0.0-rc5", "1.0.0", "1.0.2-dev", "1.1.0", "1.2.0", "1.2.1" })
        {
            (await runtime.RunBundleAsync(runtime.NewBundle(config => config["ociVersion"] = version))).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#specification-version", "a configuration of another series is refused")]
    [RuncDiffers("does not look at the version")]
    public Task A_version_of_another_series_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config["ociVersion"] = "2.0.0"));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#root", "a directory is at root.path")]
    public Task A_root_that_is_no_directory_is_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config["root"]!["path"] = "missing");
        await runtime.RefusesAsync(config => config["root"]!["path"] = "config.json");
        await runtime.RefusesAsync(config => config.Remove("root"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#root", "root.path is absolute, or relative to the bundle")]
    public Task A_root_has_an_absolute_name_or_one_in_the_bundle(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("cat /which"));
        await File.WriteAllTextAsync(bundle["which"], "mine", Cancellation);
        Assert.Equal("mine", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
        bundle.Change(config => config["root"]!["path"] = bundle.Rootfs);
        Assert.Equal("mine", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#root", "with readonly the root cannot be written, without it can")]
    public Task A_read_only_root_cannot_be_written(string name) => Under(name, async runtime =>
    {
        ProgramResult refused = await runtime.ScriptAsync("touch /new", config => config["root"]!["readonly"] = true);
        Assert.Equal(1, refused.Status);
        Assert.Contains("Read-only file system", refused.Error);
        Assert.Equal("/new\n", (await runtime.ScriptAsync("touch /new && ls /new")).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#extensibility", "unknown properties are ignored")]
    [Requirement("config.md#annotations", "unknown annotation keys are ignored")]
    public Task Unknown_properties_are_ignored(string name) => Under(name, async runtime =>
        (await runtime.ScriptAsync("true", config =>
        {
            config["unknown"] = new JsonObject { ["a"] = new JsonArray(1, "two", null) };
            config.Process["unknown"] = true;
            config["root"]!["unknown"] = 1.5;
            config.Linux["unknown"] = "text";
            config.Resources["unknown"] = new JsonArray();
            config.Mounts[0]!["unknown"] = null;
            config.Namespaces[0]!["unknown"] = "x";
            config["annotations"] = new JsonObject { ["org.opencontainers.unknown"] = "x", ["run.oci.unknown"] = "y" };
        })).Succeeded());

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#annotations", "values are strings")]
    [Requirement("config.md#valid-values", "a value of another type than is demanded is an error")]
    public Task Values_of_another_type_are_refused(string name) => Under(name, async runtime =>
    {
        Action<JsonObject>[] changes =
        [
            config => config["annotations"] = new JsonObject { ["key"] = 1 },
            config => config["annotations"] = new JsonArray(),
            config => config.Process["args"] = "sh",
            config => config.Process["cwd"] = 5,
            config => config.Process["user"]!["uid"] = "root",
            config => config.Process["user"]!["uid"] = -1,
            config => config.Process["user"]!["uid"] = 4294967296,
            config => config["root"]!["readonly"] = "yes",
            config => config["mounts"] = new JsonObject(),
            config => config.Linux["namespaces"] = "pid",
            config => config["hostname"] = true,
        ];
        foreach (Action<JsonObject> change in changes)
        {
            await runtime.RefusesAsync(change);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#annotations", "a key is not empty")]
    [RuncDiffers("takes it")]
    public Task An_annotation_without_a_name_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config["annotations"] = new JsonObject { [""] = "x" }));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "a document that is null is an error")]
    [RuncDiffers("1.1 panics: status 2 and a trace of the stack")]
    public Task A_document_that_is_null_is_refused(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle();
        await File.WriteAllTextAsync(bundle.ConfigPath, "null", Cancellation);
        (_, ProgramResult result) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, result.Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "a document that is no JSON is an error")]
    public Task A_broken_document_is_refused(string name) => Under(name, async runtime =>
    {
        foreach (string text in new[] { "", "{", "[]", "{\"ociVersion\":\"1.0.0\"" })
        {
            Bundle bundle = runtime.NewBundle();
            await File.WriteAllTextAsync(bundle.ConfigPath, text, Cancellation);
            (_, ProgramResult result) = await runtime.TryCreateAsync(bundle);
            Assert.True(result.Status == 1, $"{text}: {result}");
        }
    });
}
