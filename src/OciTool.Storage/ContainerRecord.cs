using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>What a container is doing.</summary>
public enum ContainerState
{
    /// <summary>It was made and never started.</summary>
    Created,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its process has ended.</summary>
    Exited,
}

/// <summary>What is known of a container: its <c>container.json</c>. How its process is started is in <c>config.json</c>.</summary>
/// <param name="Id">64 hexadecimal digits.</param>
/// <param name="Name">The name that people call it by; unique.</param>
/// <param name="ImageId">The ID of its image.</param>
/// <param name="ImageName">The name that its image was found by, or its ID.</param>
/// <param name="ImageDigest">The digest of its image's manifest.</param>
/// <param name="Command">What it runs: the program and its arguments.</param>
/// <param name="Created">When it was made.</param>
public sealed record ContainerRecord(
    string Id,
    string Name,
    Digest ImageId,
    string ImageName,
    Digest ImageDigest,
    IReadOnlyList<string> Command,
    DateTimeOffset Created)
{
    /// <summary>What it is doing.</summary>
    public ContainerState State { get; init; }

    /// <summary>The process that it runs as, seen from the host; 0 while it does not run.</summary>
    public int Pid { get; init; }

    /// <summary>When it was started last.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended last; null also where nobody was left to see it.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The status that it ended with; 128 + n after signal n.</summary>
    public int ExitCode { get; init; }

    /// <summary>Why it could not be started or ended in an unusual way.</summary>
    public string? Error { get; init; }

    /// <summary>Whether it is removed when it ends.</summary>
    public bool AutoRemove { get; init; }

    /// <summary>Whether its standard input is kept open.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Whether it was started with all privileges.</summary>
    public bool Privileged { get; init; }

    /// <summary>The profile of system calls that it was given; null for the default one.</summary>
    public string? SeccompProfile { get; init; }

    /// <summary>Whether a small program is its first process and reaps what the command leaves.</summary>
    public bool Init { get; init; }

    /// <summary>The network it was given, <c>host</c> or <c>none</c>.</summary>
    public string? NetworkMode { get; init; }

    /// <summary>The file that its ID was written to.</summary>
    public string? CidFile { get; init; }

    /// <summary>The command line that made it.</summary>
    public IReadOnlyList<string>? CreateCommand { get; init; }

    /// <summary>Its labels: the image's, and what the user added.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Writes the record as <see cref="StorageJson"/> reads it; what is not known is left out.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", Id);
        json.WriteString("name", Name);
        json.WriteString("imageId", ImageId.ToString());
        json.WriteString("imageName", ImageName);
        json.WriteString("imageDigest", ImageDigest.ToString());
        Write(json, "command", Command);
        json.WriteString("created", Created);
        json.WriteString("state", State switch
        {
            ContainerState.Running => nameof(ContainerState.Running),
            ContainerState.Exited => nameof(ContainerState.Exited),
            _ => nameof(ContainerState.Created),
        });
        json.WriteNumber("pid", Pid);
        Write(json, "startedAt", StartedAt);
        Write(json, "finishedAt", FinishedAt);
        json.WriteNumber("exitCode", ExitCode);
        Write(json, "error", Error);
        json.WriteBoolean("autoRemove", AutoRemove);
        json.WriteBoolean("openStdin", OpenStdin);
        json.WriteBoolean("privileged", Privileged);
        Write(json, "seccompProfile", SeccompProfile);
        if (Init)
        {
            json.WriteBoolean("init", Init);
        }

        Write(json, "networkMode", NetworkMode);
        Write(json, "cidFile", CidFile);
        Write(json, "createCommand", CreateCommand);
        if (Labels is not null)
        {
            json.WriteStartObject("labels");
            foreach ((string key, string value) in Labels)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } known)
        {
            json.WriteString(name, known);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string>? texts)
    {
        if (texts is null)
        {
            return;
        }

        json.WriteStartArray(name);
        for (int i = 0; i < texts.Count; i++)
        {
            json.WriteStringValue(texts[i]);
        }

        json.WriteEndArray();
    }
}
