using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using OciTool.Fuzz.Targets;
using OciTool.Tests.Layers.Model;

namespace OciTool.Fuzz;

/// <summary>Mutates inputs, keeps those that reach new code, and reports those under which a target fails.</summary>
/// <param name="target">What is run, in this process.</param>
/// <param name="output">A directory for what is found; <c>current</c> in it has the input that a dead process died of.</param>
internal sealed class FuzzLoop(IFuzzTarget target, string output)
{
    private const int LongestInput = 32 * 1024;
    private const int MostKept = 20_000;

    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(3);

    private readonly Coverage _coverage = new();
    private readonly List<byte[]> _kept = [];
    private readonly HashSet<string> _failures = [];

    /// <summary>Runs for a time.</summary>
    /// <returns>How many different failures there were.</returns>
    public int Run(IReadOnlyList<byte[]> corpus, TimeSpan time, ulong seed)
    {
        Directory.CreateDirectory(output);
        using MemoryMappedFile file = MemoryMappedFile.CreateFromFile(Path.Join(output, "current"), FileMode.Create, mapName: null, LongestInput + 4);
        using MemoryMappedViewAccessor current = file.CreateViewAccessor();
        foreach (byte[] input in corpus)
        {
            Try(input, current);
        }

        _kept.AddRange(corpus);
        Dice dice = new(seed);
        Mutator mutator = new(dice, target.Corpus == "tar");
        Stopwatch clock = Stopwatch.StartNew();
        TimeSpan report = TimeSpan.FromSeconds(10);
        long runs = 0;
        while (clock.Elapsed < time)
        {
            // what was found last is looked at more often
            byte[] input = _kept[dice.Percent(30) ? _kept.Count - 1 - dice.Below(Math.Min(_kept.Count, 50)) : dice.Below(_kept.Count)];
            byte[] mutated = mutator.Mutate(input, _kept[dice.Below(_kept.Count)]);
            if (Try(mutated, current) && _kept.Count < MostKept)
            {
                _kept.Add(mutated);
            }

            runs++;
            if (clock.Elapsed > report)
            {
                Report(runs, clock.Elapsed);
                report = clock.Elapsed + TimeSpan.FromSeconds(60);
            }
        }

        Report(runs, clock.Elapsed);
        Keep(corpus.Count);
        return _failures.Count;
    }

    private bool Try(byte[] input, MemoryMappedViewAccessor current)
    {
        current.Write(0, input.Length);
        current.WriteArray(4, input, 0, Math.Min(input.Length, LongestInput));
        _coverage.Clear();
        TimeSpan start = Environment.CpuUsage.TotalTime; // not the clock's: others may have the processor
        try
        {
            target.Run(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            string where = e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("OciTool.Storage", StringComparison.Ordinal)) ?? "";
            Fail($"{e.GetType().Name} {(e is WrongException or ErofsException ? e.Message.Split(' ')[0] : "")} {where.Trim()}", e.ToString(), input);
        }

        TimeSpan taken = Environment.CpuUsage.TotalTime - start;
        if (taken > TooLong)
        {
            Fail("too long", $"it took {taken.TotalSeconds:f1} s", input);
        }

        return _coverage.IsNew();
    }

    private void Fail(string kind, string text, byte[] input)
    {
        if (_failures.Add(kind))
        {
            string path = Path.Join(output, "failure-" + Convert.ToHexStringLower(SHA256.HashData(input))[..12]);
            File.WriteAllBytes(path, input);
            File.WriteAllText(path + ".txt", text);
            Console.WriteLine($"FAILED {path}: {text.Split('\n')[0]}");
        }
    }

    private void Report(long runs, TimeSpan time) => Console.WriteLine(
        $"{target.Name}: {time.TotalSeconds:f0} s, {runs} runs, {runs / time.TotalSeconds:f0} a second, {_coverage.Branches} branches, {_kept.Count} inputs kept, {_failures.Count} failures");

    /// <summary>Leaves what reached new code for a look, or for the corpus.</summary>
    private void Keep(int known)
    {
        string directory = Directory.CreateDirectory(Path.Join(output, "kept")).FullName;
        foreach (byte[] input in _kept.Skip(known))
        {
            File.WriteAllBytes(Path.Join(directory, Convert.ToHexStringLower(SHA256.HashData(input))[..12]), input);
        }
    }
}
