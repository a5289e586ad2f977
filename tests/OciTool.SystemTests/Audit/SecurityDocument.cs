using System.Globalization;
using System.Text;

namespace OciTool.SystemTests.Audit;

/// <summary>docs/security.md.</summary>
internal static class SecurityDocument
{
    public static string Generate(Audited audited, IReadOnlyList<ShownAttack> attacks)
    {
        StringBuilder text = new();
        text.Append("""
            # Isolation, measured, and attacks that are known

            Written by `IsolationAuditTests`; do not edit (`OCI_WRITE_DOCS=1` writes it anew).

            ## A container of oci beside one of podman

            Both run the same image with the same flags (`--network none`, no other), podman 4.3.1 with runc and the configuration of
            Debian 12. A program inside asks the kernel what it is and what it may do. A difference for which no reason is given
            fails the test; so does a reason for a difference that is no longer there.

            | property | oci | podman | verdict |
            |---|---|---|---|

            """);
        foreach (AuditRow row in audited.Rows)
        {
            string theirs = Differences.DependOnTheHost.Contains(row.Property) ? "as the host is set up" : row.Theirs;
            string verdict = Differences.DependOnTheHost.Contains(row.Property) ? Differences.Reasons[row.Property] : row.Verdict;
            text.Append(CultureInfo.InvariantCulture, $"| {row.Property} | {Cell(row.Ours)} | {Cell(theirs)} | {verdict} |\n");
        }

        text.Append("""

            ## System calls

            What the filter of a container with the default capabilities says to every number of x86-64. No call is made for this: the
            program puts a filter of its own on top, which asks about one number, and is asked if and only if all filters below it let
            the call pass. Conditions on arguments are met with zeros. The calls of x86 and x32 are compared in the same way; then
            every call that returns is made with arguments that are of no use, and the kernel's answers are compared, which shows what
            capabilities refuse. Left out of that are `exit`, `exit_group`, `fork`, `vfork`, `clone`, `pause`, `rt_sigsuspend`,
            `rt_sigreturn`, `sync` and `vhangup`.

            | oci and podman alike | calls |
            |---|---|

            """);
        foreach (IGrouping<string, KeyValuePair<int, string>> group in audited.Calls.Where(call => !SystemCalls.Exempt.Contains(call.Key))
            .GroupBy(call => call.Value).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            string answer = group.Key switch { "1" => "EPERM", "38" => "ENOSYS", "22" => "EINVAL", "passes" => "allowed", var other => other };
            text.Append(CultureInfo.InvariantCulture, $"| {answer} ({group.Count()}) | {SystemCalls.Describe(group.Select(call => call.Key))} |\n");
        }

        text.Append("""

            `uretprobe` and `uprobe` (335, 336) are the kernel's own trampolines; newer kernels exempt them from filters.

            ## Attacks that are known

            Each was possible with some tool. The test makes the attack, most of them with a tree of the host that is hashed before and
            after. Races run as many rounds as `OCI_RACE_ROUNDS` says: 300 in each run of CI.

            | attack | what it is | test |
            |---|---|---|

            """);
        foreach (string id in KnownAttacks.Ids)
        {
            foreach (ShownAttack attack in attacks.Where(attack => attack.Id == id).OrderBy(attack => attack.Class, StringComparer.Ordinal))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {id} | {attack.Attack} | `{attack.Class}.{attack.Method}` |\n");
            }
        }

        text.Append("\nWithout a test, and why:\n\n| attack | |\n|---|---|\n");
        foreach ((string id, string why) in KnownAttacks.WithoutTest)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {id} | {why} |\n");
        }

        text.Append("\n## Weaknesses that are known\n\n");
        foreach (string weakness in KnownAttacks.Weaknesses)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {weakness}\n");
        }

        return text.ToString();
    }

    private static string Cell(string value) => value.Length == 0 ? "none" : value.Replace("|", "\\|", StringComparison.Ordinal);
}
